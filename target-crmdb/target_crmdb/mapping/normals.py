"""Which mapped fields need a normal column: those whose own column does not say what the canonical type does."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from target_crmdb.mapping.names import Path
from target_crmdb.mapping.paths import FieldPath, Step
from target_crmdb.mapping.source import Level
from target_crmdb.mapping.types import ColumnType

# canonical types with the columns whose values are their normal forms already, or become so by a plain cast in the view
_NUMBERS = frozenset({ColumnType.NUMERIC, ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.DOUBLE})
_PLAIN: Mapping[str, Collection[ColumnType]] = {
    "text": frozenset(ColumnType),
    "decimal": _NUMBERS,
    "money": _NUMBERS,
    "integer": frozenset({ColumnType.INTEGER, ColumnType.BIGINT}),
    "boolean": frozenset({ColumnType.BOOLEAN}),
    "datetime": frozenset({ColumnType.TIMESTAMPTZ, ColumnType.DATE}),
    "date": frozenset({ColumnType.DATE, ColumnType.TIMESTAMPTZ}),
}


@dataclass(frozen=True)
class WantedNormal:
    """A normal form that a mapping asks for: of which path, of what type, for which canonical field.

    `column` is the type of the column that holds it.
    """

    path: FieldPath
    type: str
    options: tuple[tuple[str, Any], ...]
    column: ColumnType
    entity: str
    field: str
    level: Level = "lenient"

    @property
    def signature(self) -> tuple[str, str]:
        """What tells it from others in one table: the path and the type with its options."""
        return self.path.text, form_text(self.type, self.options)


@dataclass(frozen=True)
class NormalColumn:
    """A normal form's column; `source` is the place of the column that has the value, None where `_extra` has it.

    `inside` are the steps from that column's JSON to the value.
    """

    name: str
    wanted: WantedNormal
    source: int | None = None
    inside: tuple[Step, ...] = ()

    @property
    def type(self) -> ColumnType:
        """The column's type."""
        return self.wanted.column


def form_text(name: str, options: Iterable[tuple[str, Any]]) -> str:
    """Write a type with its options: `phone(country=DE)`."""
    text = ", ".join(f"{option}={value}" for option, value in options)
    return f"{name}({text})" if text else name


def needed(wanted: Collection[WantedNormal], types: Mapping[Path, ColumnType]) -> Iterator[WantedNormal]:
    """Yield those that need a column of their own, by the types of a table's columns; each form once."""
    seen: set[tuple[str, str]] = set()
    for one in wanted:
        column, steps = one.path.split(types)
        kind = None if column is None else types[column]
        if one.signature not in seen and not is_plain(one.type, kind, steps):
            seen.add(one.signature)
            yield one


def is_plain(name: str, column: ColumnType | None, steps: tuple[Step, ...]) -> bool:
    """Tell whether a view can read a field of this canonical type as it stands.

    `column` is None for a field in `_extra`. The element of a list that a flag marks is looked for once, on the way in.
    """
    if any(not isinstance(step, str) for step in steps):
        return False
    if column is None or column == ColumnType.JSONB:
        return name == "text"
    return not steps and column in _PLAIN.get(name, ())
