"""An entity's own fields as typed, named columns: option ids beside their labels, money beside its currency.

The columns of a field of each kind, by its name: `budget` and `budget_currency`, `plan` and `plan_label`, `tags` and
`tags_labels`, `term` and `term_until`, `visit` and `visit_timezone_id`, `site` and `site_country`, … The endings are
those that Pipedrive itself uses in v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_pipedrive.naming import names_of
from tap_pipedrive.shapes import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    TEXTS,
    Shape,
    cast_of,
    natives_of,
    to_integer,
    to_reference,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_pipedrive.shapes import Record, Schema

    Slot = tuple[str, Callable[[Any], Any], frozenset[type]]
    """A column's name, what brings values to it, and the types that it takes as they are."""

__all__ = ["CustomFields"]

_ZONE = {"timezone_id": INTEGER, "timezone_name": TEXT}
_ADDRESS_PARTS = (
    "street_number", "route", "subpremise", "locality", "sublocality", "admin_area_level_1", "admin_area_level_2",
    "country", "postal_code", "formatted_address",
)  # fmt: skip

# The column of the value itself, and those beside it.
_KINDS: Mapping[str, tuple[Schema, Mapping[str, Schema]]] = {
    "int": (INTEGER, {}),
    "double": (NUMBER, {}),
    "boolean": (BOOLEAN, {}),
    "monetary": (NUMBER, {"currency": TEXT}),
    "date": (DATE, {}),
    "daterange": (DATE, {"until": DATE}),
    "time": (TEXT, _ZONE),
    "timerange": (TEXT, {"until": TEXT, **_ZONE}),
    "address": (TEXT, dict.fromkeys(_ADDRESS_PARTS, TEXT)),
}
_REFERENCES = frozenset({"user", "org", "people", "deal", "project", "stage", "activity"})


@dataclass(frozen=True)
class Column:
    """One field: its kind, its columns, and the labels of its options."""

    code: str
    kind: str
    main: Schema
    beside: Mapping[str, Schema]
    labels: Mapping[Any, str]

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> Column:
        """Read a definition of v2."""
        kind = str(definition["field_type"])
        options = definition.get("options") or ()
        labels = {option["id"]: to_text(option.get("label") or "") for option in options}
        beside: Mapping[str, Schema] = {}
        ids = INTEGER if all(isinstance(each, int) for each in labels) else TEXT
        if kind == "enum":
            main, beside = ids, {"label": TEXT}
        elif kind == "set":
            main, beside = {"type": ["array", "null"], "items": {"type": ids["type"][0]}}, {"labels": TEXTS}
        elif kind in _REFERENCES:
            main = INTEGER
        else:
            main, beside = _KINDS.get(kind, (TEXT, {}))
        return cls(str(definition["field_code"]), kind, main, beside, labels)

    def values(self, value: Any) -> list[Any]:
        """The value and what stands beside it, in the order of the columns, before they are cast."""
        if self.kind == "enum":
            value = to_integer(value) if self.main is INTEGER else value
            return [value, self.labels.get(value)]
        if self.kind == "set":
            ids = value.split(",") if isinstance(value, str) else value
            ids = [to_integer(each) if self.main["items"]["type"] == "integer" else each for each in ids]
            return [ids, [self.labels[each] for each in ids if each in self.labels]]
        if self.kind in _REFERENCES:
            return [to_reference(value)]
        if self.beside:
            parts = value if isinstance(value, dict) else {"value": value}
            return [parts.get("value"), *(parts.get(name) for name in self.beside)]
        return [value]


class CustomFields:
    """The own fields of an entity for one run; `names` maps each code to its name."""

    def __init__(self, definitions: Iterable[Mapping[str, Any]], policy: str, known: Mapping[str, str]) -> None:
        own = [each for each in definitions if each.get("is_custom_field")]
        self.columns = {column.code: column for column in map(Column.of, own)}
        shown = {str(each["field_code"]): str(each.get("field_name") or "") for each in own}
        endings = {code: (shown[code], [*column.beside]) for code, column in self.columns.items()}
        self.names = names_of(endings, policy, known)
        self._slots = {code: self._slot(column) for code, column in self.columns.items()}
        self._nulls = dict.fromkeys(self.properties())
        self.unknown: set[str] = set()

    def properties(self) -> dict[str, Schema]:
        """The JSON schemas of all columns by name."""
        return {
            name: schema
            for code, column in sorted(self.columns.items(), key=lambda item: self.names[item[0]])
            for name, schema in zip(self._slot_names(column), [column.main, *column.beside.values()], strict=True)
        }

    def record(self, values: Mapping[str, Any], shape: Shape) -> Record:
        """Values by code, as v2 has them, as columns; a field that came since the run began stays under its code."""
        record: Record = dict(self._nulls)
        for code, value in values.items():
            slots = self._slots.get(code)
            if slots is None:
                self.unknown.add(code)
                record[code] = value
            elif value is not None:
                name, _, natives = slots[0]
                if len(slots) == 1 and type(value) in natives:
                    record[name] = value
                else:
                    self._fill(record, self.columns[code], slots, value, shape)
        return record

    def gathered(self, row: Mapping[str, Any]) -> Record:
        """The values of a row of v1, where they stand at the root, in the form of v2."""
        found: Record = {}
        for code, column in self.columns.items():
            value = row.get(code)
            if column.beside and column.kind not in {"enum", "set"} and value is not None:
                found[code] = {"value": value, **{part: row.get(f"{code}_{part}") for part in column.beside}}
            else:
                found[code] = value
        return found

    def takes(self, name: str) -> bool:
        """Whether a name at the root of a row of v1 belongs to a field."""
        return name in self.columns or name.partition("_")[0] in self.columns

    def _slot_names(self, column: Column) -> list[str]:
        name = self.names[column.code]
        return [name, *(f"{name}_{ending}" for ending in column.beside)]

    def _slot(self, column: Column) -> list[Slot]:
        schemas = (column.main, *column.beside.values())
        names = self._slot_names(column)
        return [(name, cast_of(each), natives_of(each)) for name, each in zip(names, schemas, strict=True)]

    @staticmethod
    def _fill(record: Record, column: Column, slots: Sequence[Slot], value: Any, shape: Shape) -> None:
        parts = shape.value(slots[0][0], column.values, value)
        for (name, cast, natives), part in zip(slots, parts or (), strict=False):
            if part is not None:
                record[name] = part if type(part) in natives else shape.value(name, cast, part)
