"""The mapping of a run's source; nothing that reads mapping files is imported where there is none to read."""

import json
from importlib.resources import files
from typing import Any

from target_crmdb.mapping.names import snake_case
from target_crmdb.mapping.source import SourceMapping


def mapping_of(source: str, setting: Any = None) -> SourceMapping:
    """Give the mapping that is shipped for a source with the setting `mapping` on top. Raises ConfigError."""
    own = setting_text(setting)
    if own is None and not is_shipped(source):
        return SourceMapping(source=source)
    from target_crmdb.mapping.reading import load_mapping  # noqa: PLC0415 - many sources are not mapped

    return load_mapping(source, own)


def is_shipped(source: str) -> bool:
    """Tell whether there is a file for a source."""
    is_name = snake_case(source) == source and source not in {"", "model"}
    return is_name and (files("target_crmdb.mapping") / f"{source}.yaml").is_file()


def setting_text(value: Any) -> str | None:
    """Give the setting `mapping` as one text: an object as JSON, a path as it is."""
    if not value:
        return None
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
