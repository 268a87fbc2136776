"""Where a target's rows are not what the org holds; written by the Singer rules and the org's own values alone."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tests.tap_hubspot.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_crm import FakeSalesforce
    from tests.tap_hubspot.tables import Row, Table
    from tests.tap_salesforce.conftest import Run

    Json = dict[str, Any]

DELETED = "_sdc_deleted_at"


def arrived(value: Any) -> Any:
    """A value of the org as a record should have it."""
    if isinstance(value, dict):
        return (
            {name: arrived(each) for name, each in value.items()}
            if any(v is not None for v in value.values())
            else None
        )
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, str) and len(value) == 13 and value[2] == value[5] == ":":
        return value.removesuffix("Z")
    return None if value == "" else value


def anything(value: Any) -> Any:
    """The same for a field of any type, which comes as text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def differences(fake: FakeSalesforce, tables: Tables, *streams: str, forgotten: bool = False) -> list[str]:
    """What is missing, extra or other; `forgotten` lets rows be live that nobody can know to be gone."""
    return [
        f"{name}: {found}" for name in streams for found in _of_stream(fake, name, tables[name], forgotten=forgotten)
    ][:20]


def _of_stream(fake: FakeSalesforce, name: str, table: Table, *, forgotten: bool) -> Iterator[str]:
    rows = {str(row.values["Id"]): row for row in table.rows.values()}
    types = {field.name: field.type for field in fake.org.schema.find(name).fields.values()}
    seen = set()
    for record in fake.org.records(name, deleted=True):
        one = str(record["Id"])
        seen.add(one)
        if one not in rows and _is_remembered(fake, record):
            yield f"{one} is missing"
        elif one not in rows:
            continue
        elif record.get("IsDeleted"):
            if rows[one].is_live:
                yield f"{one} is deleted, but live"
        else:
            yield from _of_live(one, record, rows[one], types)
    for one in rows.keys() - seen:
        if rows[one].is_live and not forgotten:
            yield f"{one} is gone, but live"


def _is_remembered(fake: FakeSalesforce, record: Json) -> bool:
    """Whether queryAll still gives it: the recycle bin is emptied after 15 days."""
    gone = record.get("IsDeleted") and datetime.fromisoformat(record["SystemModstamp"])
    return not gone or gone > fake.clock.now() - timedelta(days=15)


def _of_live(one: str, record: Json, row: Row, types: dict[str, str]) -> Iterator[str]:
    if not row.is_live:
        yield f"{one} is live, but has {DELETED}"
    for field, value in row.values.items():
        if field in record:
            wanted = anything(record[field]) if types[field] == "anyType" else arrived(record[field])
            if not _same(value, wanted):
                yield f"{one}.{field} is {wanted!r}, but {value!r} arrived"


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, (int, Decimal)) and isinstance(wanted, (int, float, Decimal)) and not isinstance(value, bool):
        return value == Decimal(str(wanted))
    return bool(value == wanted) and type(value) is type(wanted)


def loaded(*runs: Run, guarded: bool = True) -> Tables:
    """What a target makes of runs."""
    tables = Tables(guarded=guarded)
    for run in runs:
        tables.take(lines(run.messages))
    return tables


def lines(messages: list[Json]) -> list[str]:
    """Messages as they were printed, digits and all."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    return [encoder.encode(message).decode() for message in messages]
