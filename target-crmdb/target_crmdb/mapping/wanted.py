"""The normal forms that a mapping asks of a stream."""

from collections.abc import Callable, Iterator

from target_crmdb.mapping.canonical import UPDATED_AT
from target_crmdb.mapping.normals import WantedNormal
from target_crmdb.mapping.source import Level, StreamMapping
from target_crmdb.validation.fields import COLUMN_TYPES


def wanted_normals(stream: StreamMapping, level_of: Callable[[str], Level]) -> Iterator[WantedNormal]:
    """Yield the forms that the stream's view reads; `level_of` tells the level of a canonical field."""
    entity = stream.entity or ""
    for one in stream.fields:
        # values that are translated are translated as they stand
        name = "text" if one.values or one.prefixes else one.type
        options = () if one.values or one.prefixes else one.options
        column = COLUMN_TYPES[name]
        yield WantedNormal(one.path, name, options, column, entity, one.field, level_of(one.field))
    if stream.updated_at is not None:
        column = COLUMN_TYPES["datetime"]
        yield WantedNormal(stream.updated_at, "datetime", (), column, entity, UPDATED_AT, level_of(UPDATED_AT))
