"""What a target makes of Singer messages, in memory; written by the Singer rules alone, with nothing of the tap's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    Json = dict[str, Any]

SPREAD = "properties"  # the one nesting level that becomes columns of its own
DELETED = "_sdc_deleted_at"


@dataclass
class Row:
    """One row: its columns, and for each the JSON schema with which its value came."""

    version: int | None = None
    values: Json = field(default_factory=dict)
    types: Json = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.values.get(DELETED) is None


@dataclass
class Table:
    """The rows of one stream by key."""

    schema: Json = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    ordered_by: str | None = None
    rows: dict[tuple[str, ...], Row] = field(default_factory=dict)

    def columns(self) -> Json:
        """Column → JSON schema, as last declared."""
        declared = dict(self.schema["properties"])
        spread = declared.pop(SPREAD, {}).get("properties", {})
        return declared | {f"{SPREAD}.{name}": schema for name, schema in spread.items()}


class Tables:
    """Takes lines in their order. `guarded`: a record older than what is stored is refused, as target-crmdb does."""

    def __init__(self, *, guarded: bool = True) -> None:
        self.guarded = guarded
        self.tables: dict[str, Table] = {}

    def __getitem__(self, stream: str) -> Table:
        return self.tables.setdefault(stream, Table())

    def take(self, lines: Iterable[str]) -> None:
        """Load whole lines; STATE is not a target's to understand."""
        for line in lines:
            message = json.loads(line, parse_float=Decimal)
            match message["type"]:
                case "SCHEMA":
                    self._schema(message)
                case "RECORD":
                    self._record(message)
                case "ACTIVATE_VERSION":
                    self._activate(message)

    def _schema(self, message: Json) -> None:
        table = self[message["stream"]]
        table.schema = message["schema"]
        table.keys = tuple(message["key_properties"])
        table.ordered_by = next(iter(message.get("bookmark_properties") or ()), None)

    def _record(self, message: Json) -> None:
        table, record = self[message["stream"]], message["record"]
        row = table.rows.setdefault(tuple(str(record[name]) for name in table.keys), Row())
        row.version = message.get("version")  # even an older one shows that the row is still there
        if self.guarded and _is_stale(record, row, table.ordered_by):
            return
        columns = table.columns()
        for name, value in _flat(record).items():
            row.values[name] = value
            row.types[name] = columns.get(name, {})

    def _activate(self, message: Json) -> None:
        table = self[message["stream"]]
        table.rows = {key: row for key, row in table.rows.items() if row.version == message["version"]}


def _flat(record: Json) -> Json:
    spread = record.get(SPREAD) or {}
    return {name: value for name, value in record.items() if name != SPREAD} | {
        f"{SPREAD}.{name}": value for name, value in spread.items()
    }


def _is_stale(record: Json, row: Row, by: str | None) -> bool:
    if by is None or (stored := row.values.get(by)) is None:
        return False
    instants = [datetime.fromisoformat(record[name]) for name in (by, DELETED) if record.get(name)]
    return bool(instants) and max(instants) < datetime.fromisoformat(stored)
