"""Rows that cannot be stored: what is kept of them and where, and which server errors mean "this row"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal

import psycopg

from target_crmdb import schemas
from target_crmdb.schemas import StreamSchema

Cursor = psycopg.Cursor[tuple[Any, ...]]
Stage = Literal["read", "validate", "load"]

# SQLSTATE classes: 22 data exception, 23 integrity constraint, 54 program limit (row or key too big)
_DATA_CLASSES = ("22", "23", "54")
# "COPY stage_1, line 7, column c3: ..." - the words are the server's language, the numbers are not
_PLACE = re.compile(r"COPY [^,\s]+, \S+ (?P<line>\d+)(?:, \S+ c(?P<column>\d+)\b)?")


@dataclass(frozen=True)
class Reject:
    """One refused row or line. `reason` has no value in it; `payload` is the line as it came."""

    stream: str | None
    line: int | None
    key: str | None
    stage: Stage
    field: str | None
    error_class: str
    reason: str
    payload: str


@dataclass(frozen=True)
class ServerVerdict:
    """Why Postgres refused a row: SQLSTATE name, and row and column of a COPY where it names them (from 0)."""

    error_class: str
    row: int | None
    column: int | None


def is_data_error(error: psycopg.Error) -> bool:
    """Tell whether an error is about the rows, so that other rows may still go in."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)
    return error.sqlstate.startswith(_DATA_CLASSES)


def verdict_of(error: psycopg.Error) -> ServerVerdict:
    """Read the place out of an error; its text is left alone, since it quotes values."""
    match = _PLACE.search(error.diag.context or "")
    row = int(match["line"]) - 1 if match else None
    column = int(match["column"]) if match and match["column"] else None
    name = type(error).__name__
    return ServerVerdict(f"{error.sqlstate} {name}" if error.sqlstate else name, row, column)


def payload_text(line: bytes | str) -> str:
    """Give a line as text that Postgres can hold, whatever bytes it had."""
    text = line.decode(errors="backslashreplace") if isinstance(line, bytes) else line
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00").rstrip("\r\n")


class Ledger:
    """Where the rejects of a run go: each becomes a row, beside the SCHEMA under which it was read."""

    kind: Literal["load", "replay"] = "load"

    def __init__(self) -> None:
        self._schema_ids: dict[str, int] = {}

    def note_schema(self, cursor: Cursor, run_id: int, table: tuple[str, str], schema: StreamSchema) -> None:
        """Keep the SCHEMA under which a stream goes on; `table` is the table's schema and the sink's stream."""
        table_schema, stream = table
        self._schema_ids[stream] = schemas.record(cursor, run_id, table_schema, schema)

    def settle(self, cursor: Cursor, run_id: int, lines: Iterable[int], rejects: Sequence[Reject]) -> None:  # noqa: ARG002
        """Keep the rejects of a batch; `lines` are the numbers of the lines whose rows were staged."""
        if not rejects:
            return
        cursor.executemany(
            "insert into rejects (run_id, schema_id, stream, line, key, stage, field, error_class, reason, payload)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(run_id, self._schema_ids.get(reject.stream or ""), *astuple(reject)) for reject in rejects],
        )

    def accept_commit(self) -> None:
        """What was settled last is durable now."""
