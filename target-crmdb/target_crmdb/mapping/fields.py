"""From a stream's SCHEMA to the fields that become columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_crmdb.mapping.names import Path
from target_crmdb.mapping.types import ColumnType, column_type

DELETED_AT = "_sdc_deleted_at"
EXTRA = "_extra"


@dataclass(frozen=True)
class Field:
    """One value of a record, by its path, and the type that its SCHEMA asks for."""

    path: Path
    type: ColumnType


def fields_of(schema: Mapping[str, Any], spread: str | None, first: Sequence[str] = ()) -> list[Field]:
    """List a stream's fields; those named in `first` (keys, bookmark) lead, then the record's own, then nested ones.

    Names are given in this order, so it is the nested field that gets a prefix where two would share a name.
    """
    fields = [_typed(field) for field in _walk(schema["properties"], spread)]
    rank: dict[Path, int] = {(name,): place for place, name in enumerate(first)}
    return sorted(fields, key=lambda field: rank.get(field.path, len(rank) + len(field.path)))


def _walk(properties: Mapping[str, Any], spread: str | None) -> Iterator[Field]:
    for name, schema in properties.items():
        if name == spread and schema.get("properties"):
            for child, child_schema in schema["properties"].items():
                yield Field((name, child), column_type(child_schema))
        else:
            yield Field((name,), column_type(schema))


def _typed(field: Field) -> Field:
    """A deletion time is an instant whatever the SCHEMA calls it."""
    return Field(field.path, ColumnType.TIMESTAMPTZ) if field.path == (DELETED_AT,) else field
