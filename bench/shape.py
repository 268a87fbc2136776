"""A shape of row: its columns in both worlds, and how a row is made and later changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

Row = dict[str, Any]

KEY = "id"
BOOKMARK = "lastmodifieddate"
# type in Postgres -> JSON schema
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "timestamptz": {"type": ["string", "null"], "format": "date-time"},
    "date": {"type": ["string", "null"], "format": "date"},
    "numeric": {"type": ["number", "null"]},
    "bigint": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
}


@dataclass(frozen=True)
class Column:
    """The type that psql's table has, and what the SCHEMA message says."""

    kind: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """A stream of such rows; its columns begin with the key."""

    stream: str
    columns: Mapping[str, Column]
    make: Callable[[Random, int], Row]
    change: Callable[[Random, Row], Row]


def key() -> Column:
    """Give the column of the key."""
    return Column("text", {"type": "string"})


def column(kind: str) -> Column:
    """Give a column of that type in Postgres that may be null."""
    return Column(kind, _SCHEMAS[kind])


def one_of(choices: Sequence[str]) -> Column:
    """Give a column of text that holds one of those or null."""
    return Column("text", {**_SCHEMAS["text"], "enum": [*choices, None]})
