"""Write what a plugin declares as settings where people read it: its README table and `meltano.yml`.

`--check` writes nothing and exits 1 where a file does not say what the code says.
"""

from __future__ import annotations

import argparse
import copy
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tap_hubspot.tap import TapHubSpot
from target_crmdb.target import TargetCrmdb

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
PLUGINS: dict[str, tuple[str, type[TapHubSpot | TargetCrmdb]]] = {
    "tap-hubspot": ("extractors", TapHubSpot),
    "target-crmdb": ("loaders", TargetCrmdb),
}
# What Meltano itself fills in: the schema that the tap's `load_schema` names.
FILLED_BY_MELTANO = {"default_target_schema": "$MELTANO_EXTRACT__LOAD_SCHEMA"}


@dataclass(frozen=True)
class Setting:
    """One setting as declared in a plugin's `config_jsonschema`; `name` is dotted where it is nested."""

    name: str
    type: str
    secret: bool
    default: Any
    description: str
    is_date: bool

    @property
    def kind(self) -> str:
        """The kind that Meltano knows it by."""
        if self.is_date:
            return "date_iso8601"
        return {"number": "decimal"}.get(self.type, self.type)


def settings_of(plugin: type[TapHubSpot | TargetCrmdb]) -> list[Setting]:
    """Every setting that the plugin takes, the SDK's own included."""
    schema = copy.deepcopy(plugin.config_jsonschema)
    plugin.append_builtin_config(schema)
    return list(_flatten(schema["properties"]))


def _flatten(properties: dict[str, Any], prefix: str = "") -> Iterator[Setting]:
    for name, declared in properties.items():
        if declared.get("properties") and not declared.get("additionalProperties"):
            yield from _flatten(declared["properties"], f"{prefix}{name}.")
            continue
        types = declared.get("type", "string")
        names = [types] if isinstance(types, str) else types
        default = declared.get("default")
        yield Setting(
            name=prefix + name,
            type=next(kind for kind in names if kind != "null"),
            secret=bool(declared.get("secret") or declared.get("writeOnly")),
            default=default.value if hasattr(default, "value") else default,
            description=" ".join(str(declared.get("description", "")).split()),
            is_date=declared.get("format") == "date-time",
        )


def table(settings: list[Setting]) -> str:
    """The settings as a Markdown table, with its markers."""
    rows = ["| setting | type | default | what it does |", "|---|---|---|---|"]
    for setting in settings:
        default = "" if setting.default is None else f"`{str(setting.default).replace('|', chr(92) + '|')}`"
        kind = setting.kind + (", secret" if setting.secret else "")
        rows.append(f"| `{setting.name}` | {kind} | {default} | {setting.description.replace('|', chr(92) + '|')} |")
    return "\n".join([BEGIN, "", *rows, "", END])


def readme_with_table(text: str, settings: list[Setting]) -> str:
    """The README's text with the table between its markers."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + table(settings) + tail


def meltano_settings(settings: list[Setting]) -> list[dict[str, Any]]:
    """The settings as `meltano.yml` declares them."""
    declared = []
    for setting in settings:
        entry: dict[str, Any] = {"name": setting.name, "kind": setting.kind}
        if setting.secret:
            entry["sensitive"] = True
        if setting.name in FILLED_BY_MELTANO:
            entry["value"] = FILLED_BY_MELTANO[setting.name]
        if setting.kind == "decimal":
            # Meltano 4.4.1 cannot write a Decimal into the plugin's JSON configuration; as text the plugins take it
            entry["kind"] = "string"
        declared.append(entry)
    return declared


def project_with_settings(text: str) -> str:
    """The project file's text with every plugin's settings."""
    yaml = YAML()
    yaml.width = 200
    project = yaml.load(text)
    for name, (kind, plugin) in PLUGINS.items():
        block = next(block for block in project["plugins"][kind] if block["name"] == name)
        block["settings"] = meltano_settings(settings_of(plugin))
    out = io.StringIO()
    yaml.dump(project, out)
    return out.getvalue()


def generated() -> dict[Path, str]:
    """What each generated file should say."""
    files = {ROOT / "meltano.yml": project_with_settings((ROOT / "meltano.yml").read_text("utf-8"))}
    for name, (_, plugin) in PLUGINS.items():
        readme = ROOT / name / "README.md"
        files[readme] = readme_with_table(readme.read_text("utf-8"), settings_of(plugin))
    return files


def main() -> int:
    """Write, or with `--check` compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [path for path, text in generated().items() if path.read_text("utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is behind the code; run `make docs`' if check else 'written'}")
        if not check:
            path.write_text(generated()[path], "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
