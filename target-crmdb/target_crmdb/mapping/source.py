"""What is known of one CRM: data in a YAML file beside this module, named by the setting `source`."""

import re
from dataclasses import dataclass
from importlib.resources import files

import yaml

from target_crmdb.exceptions import ConfigError

_SAFE = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class SourceMapping:
    """The field mappings of one CRM; `spread` is the object whose fields become columns."""

    spread: str | None = None


def load_mapping(source: str) -> SourceMapping:
    """Read the mapping of a source; a source without a file has none of its own."""
    if not _SAFE.fullmatch(source):
        return SourceMapping()
    file = files("target_crmdb.mapping") / f"{source}.yaml"
    if not file.is_file():
        return SourceMapping()
    content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    unknown = set(content) - {"spread"}
    if unknown:
        raise ConfigError(f"The mapping of {source} has unknown entries: {', '.join(sorted(unknown))}; remove them.")
    return SourceMapping(spread=content.get("spread"))
