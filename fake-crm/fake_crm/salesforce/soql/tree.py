"""What a query says, before anybody knows whether its names exist."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Path:
    """A field, perhaps of a parent: `Owner.Name`; `at` is where in the text it stands."""

    names: tuple[str, ...]
    at: int

    @property
    def text(self) -> str:
        """As it was written."""
        return ".".join(self.names)


@dataclass(frozen=True)
class Literal:
    """A value in a condition. `kind`: text, number, boolean, null, datetime, date, time or relative (`TODAY`)."""

    kind: str
    value: Any
    at: int


@dataclass(frozen=True)
class Call:
    """A function in the list of fields, such as COUNT(Id) or FIELDS(ALL)."""

    name: str
    path: Path | None
    alias: str | None
    at: int


@dataclass(frozen=True)
class Subquery:
    """A query for children in the list of fields."""

    query: Query
    at: int


@dataclass(frozen=True)
class TypeOf:
    """TYPEOF … END; only known so that it can be refused where it must be."""

    at: int


Item = Path | Call | Subquery | TypeOf


@dataclass(frozen=True)
class Compare:
    """`path operator value`; operators are = != < <= > >= like includes excludes in, and "not in"."""

    path: Path
    operator: str
    values: tuple[Literal, ...] = ()
    query: Query | None = None


@dataclass(frozen=True)
class Joined:
    """Conditions joined by `and` or `or`."""

    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negated:
    """NOT."""

    part: Condition


Condition = Compare | Joined | Negated


@dataclass(frozen=True)
class Order:
    """One field of ORDER BY."""

    path: Path
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Query:
    """One query; `text` is the whole text, for messages."""

    items: tuple[Item, ...]
    source: str
    source_at: int
    text: str
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Path, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    extras: frozenset[str] = field(default_factory=frozenset)

    @property
    def counts_only(self) -> bool:
        """Whether it is SELECT count()."""
        return (
            len(self.items) == 1
            and isinstance(self.items[0], Call)
            and self.items[0].name == "count"
            and self.items[0].path is None
        )
