"""Write what code and mappings declare where people read it: READMEs, pages of `docs`, and `meltano.yml`.

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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dev.model_page import with_model
from tap_csv_github.tap import TapCsvGithub
from tap_hubspot.tap import TapHubSpot
from tap_pipedrive.tap import TapPipedrive
from tap_salesforce.tap import TapSalesforce
from target_crmdb.target import TargetCrmdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmdb_core.tap import CrmTap

    Plugin = type[CrmTap | TargetCrmdb]

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
PLUGINS: dict[str, tuple[str, Plugin]] = {
    "tap-csv-github": ("extractors", TapCsvGithub),
    "tap-hubspot": ("extractors", TapHubSpot),
    "tap-salesforce": ("extractors", TapSalesforce),
    "tap-pipedrive": ("extractors", TapPipedrive),
    "target-crmdb": ("loaders", TargetCrmdb),
}
PAGE = ROOT / "docs" / "settings.md"
MODEL_PAGE = ROOT / "docs" / "model.md"
# The order of a plugin's table on that page; what is named nowhere comes last.
GROUPS: dict[str, dict[str, str]] = {
    "target-crmdb": {
        "connection": "host port user password database sqlalchemy_url embedded embedded_data_dir ssl_enable ssl_mode "
        "ssl_certificate_authority ssl_client_certificate_enable ssl_client_certificate ssl_client_private_key "
        "ssl_storage_directory ssh_tunnel dialect+driver",
        "model": "source mapping validation model_schema",
        "tables": "default_target_schema bookkeeping_schema max_columns schema_change "
        "stream_schema_change max_rewrite_bytes add_record_metadata",
        "writing": "load_method hard_delete activate_version process_activate_version_messages sweep_at_end "
        "validate_records sanitize_null_text_characters use_copy interpret_content_encoding",
        "limits and waiting": "batch_size_rows max_batch_bytes state_interval max_rejects max_protocol_errors "
        "connect_timeout lock_timeout statement_timeout retry_timeout",
        "safety": "max_delete_share confirm_deletes",
        "dry run": "dry_run dry_run_report",
        "logs": "log_values debug",
    }
}
# The settings that a README's table has, where that is not all of them.
FIRST = {
    "target-crmdb": "host port user password database sqlalchemy_url embedded default_target_schema load_method "
    "hard_delete schema_change max_rejects max_delete_share dry_run"
}
# Settings that are lists of objects, whose own settings are a second table in the README.
ENTRIES = {"tap-csv-github": "files"}
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


def settings_of(plugin: Plugin) -> list[Setting]:
    """Every setting that the plugin takes, the SDK's own included."""
    schema = copy.deepcopy(plugin.config_jsonschema)
    plugin.append_builtin_config(schema)
    return list(_flatten(schema["properties"]))


def entries_of(name: str, plugin: Plugin) -> list[Setting]:
    """The settings of the entries of a setting that is a list of objects."""
    return list(_flatten(plugin.config_jsonschema["properties"][ENTRIES[name]]["items"]["properties"]))


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


def table(settings: list[Setting], groups: dict[str, str] | None = None) -> str:
    """The settings as a Markdown table, with its markers; groups have a line each before their settings."""
    by_name = {setting.name: setting for setting in settings}
    rows = ["| setting | type | default | what it does |", "|---|---|---|---|"]
    for group, names in (groups or {}).items():
        rows += [f"| **{group}** | | | |", *(_row(by_name.pop(name)) for name in names.split())]
    rows += ["| **other** | | | |"] if groups and by_name else []
    return "\n".join([BEGIN, "", *rows, *map(_row, by_name.values()), "", END])


def _row(setting: Setting) -> str:
    default = "" if setting.default is None else f"`{str(setting.default).replace('|', chr(92) + '|')}`"
    kind = setting.kind + (", secret" if setting.secret else "")
    return f"| `{setting.name}` | {kind} | {default} | {setting.description.replace('|', chr(92) + '|')} |"


def with_tables(text: str, *tables: str) -> str:
    """The text of a page with these tables between its markers, in their order."""
    done = ""
    for one in tables:
        head, _, rest = text.partition(BEGIN)
        _, _, text = rest.partition(END)
        done += head + one
    return done + text


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
    tables = [table(settings_of(plugin), GROUPS.get(name)) for name, (_, plugin) in PLUGINS.items()]
    files[PAGE] = with_tables(PAGE.read_text("utf-8"), *tables)
    for name, (_, plugin) in PLUGINS.items():
        readme = ROOT / name / "README.md"
        by_name = {setting.name: setting for setting in settings_of(plugin)}
        shown = FIRST[name].split() if name in FIRST else by_name
        in_readme = [table([by_name[one] for one in shown])]
        in_readme += [table(entries_of(name, plugin))] if name in ENTRIES else []
        files[readme] = with_tables(readme.read_text("utf-8"), *in_readme)
    files[MODEL_PAGE] = with_model(MODEL_PAGE.read_text("utf-8"))
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
