"""Rejects, and the SCHEMAs of their streams, as the database has them: read a few at a time for a replay."""

from collections.abc import Iterator
from typing import LiteralString, NamedTuple

from target_crmdb.database import Connection
from target_crmdb.selection import SELECTED, Selection

_AT_ONCE = 100
_EXTENT_COLUMNS: LiteralString = "select count(*), coalesce(max(r.reject_id), 0), coalesce(bool_or(u.mapped), false)"
_EXTENT = _EXTENT_COLUMNS + SELECTED
_READ_COLUMNS: LiteralString = "select r.reject_id, r.stream, r.schema_id, coalesce(r.payload, '')"
_NEXT: LiteralString = """
and r.reject_id > %(after)s and r.reject_id <= %(last)s order by r.reject_id limit %(at_once)s
"""
_READ = _READ_COLUMNS + SELECTED + _NEXT
_NEWEST = """
select schema_id, message from stream_schemas where table_schema = %s and stream = %s
order by last_seen_at desc, schema_id desc limit 1
"""
_ORIGINAL = "select schema_id, message from stream_schemas where schema_id = %s"


class StoredReject(NamedTuple):
    """A reject that is to be loaded again; `stream` is the one after stream maps, if it came so far."""

    reject_id: int
    stream: str | None
    schema_id: int | None
    payload: str


class Extent(NamedTuple):
    """How many rejects a selection has, the greatest of their numbers, and whether a run that made them had maps."""

    rejects: int
    last: int
    mapped: bool


def extent(connection: Connection, selection: Selection) -> Extent:
    """Measure a selection."""
    row = connection.execute(_EXTENT, selection.parameters()).fetchone()
    assert row is not None
    return Extent(*row)


def stored(connection: Connection, selection: Selection, *, last: int) -> Iterator[StoredReject]:
    """Read them a few at a time, in the order in which they came."""
    place = {**selection.parameters(), "after": 0, "last": last, "at_once": _AT_ONCE}
    while rows := connection.execute(_READ, place).fetchall():
        yield from map(StoredReject._make, rows)
        place["after"] = rows[-1][0]


class Schemas:
    """The SCHEMA messages that are known of the streams of one target schema."""

    def __init__(self, connection: Connection, table_schema: str, *, latest: bool) -> None:
        self._connection = connection
        self._table_schema = table_schema
        self._latest = latest
        self._found: dict[tuple[str, int | None], tuple[int, str]] = {}

    def find(self, stream: str, schema_id: int | None) -> tuple[int, str] | None:
        """Give number and text of the newest SCHEMA, or of the one under which the reject was read."""
        place = (stream, None if self._latest else schema_id)
        if place not in self._found:
            found = self._read(*place)
            if found is None:
                return None
            self._found[place] = found
        return self._found[place]

    def _read(self, stream: str, schema_id: int | None) -> tuple[int, str] | None:
        if schema_id is not None:
            row = self._connection.execute(_ORIGINAL, (schema_id,)).fetchone()
        else:
            row = self._connection.execute(_NEWEST, (self._table_schema, stream)).fetchone()
        return None if row is None else (int(row[0]), str(row[1]))
