"""The normal forms that a mapping asks of a stream."""

from collections.abc import Callable, Iterator
from typing import Any

from target_crmdb.mapping.canonical import UPDATED_AT
from target_crmdb.mapping.normals import WantedNormal, form_text
from target_crmdb.mapping.source import FieldMapping, Level, StreamMapping
from target_crmdb.validation.fields import COLUMN_TYPES


def wanted_normals(stream: StreamMapping, level_of: Callable[[str], Level]) -> Iterator[WantedNormal]:
    """Yield the forms that the stream's view reads; `level_of` tells the level of a canonical field."""
    entity = stream.entity or ""
    mapped = [*stream.fields]
    if stream.updated_at is not None:
        mapped.append(FieldMapping(stream.updated_at, UPDATED_AT, "datetime"))
    for one in mapped:
        name, options = _read_as(one)
        yield WantedNormal(one.path, name, options, COLUMN_TYPES[name], entity, one.field, level_of(one.field))


def form_of(one: FieldMapping) -> tuple[str, str]:
    """Give the type as which a field is read, and that type with its options as one text."""
    name, options = _read_as(one)
    return name, form_text(name, options)


def _read_as(one: FieldMapping) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Values that are translated, and ids that are sorted, are taken as they stand."""
    return ("text", ()) if one.values or one.prefixes else (one.type, one.options)
