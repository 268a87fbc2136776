"""Where a target's tables are not what the portal holds. A further stream: a function here, and a line in CHECKS."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tests.tap_hubspot.tables import DELETED, SPREAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fake_crm import FakeCrm
    from tests.tap_hubspot.people import People
    from tests.tap_hubspot.tables import Row, Table, Tables

    Json = dict[str, Any]
    Check = Callable[[FakeCrm, People, str, Table], Iterator[str]]

_TOP = ("createdAt", "updatedAt", "archived", "url")


def differences(crm: FakeCrm, people: People, tables: Tables, streams: tuple[str, ...]) -> list[str]:
    """What is missing, extra or other, by stream; empty when everything arrived."""
    return [
        f"{stream}: {found}" for stream in streams for found in CHECKS[stream](crm, people, stream, tables[stream])
    ][:20]


def object_differences(crm: FakeCrm, people: People, stream: str, table: Table) -> Iterator[str]:
    """Live rows equal the portal's, archived ones are deleted, merged ones point to where they ended."""
    rows = {key[0]: row for key, row in table.rows.items()}
    live = {record["id"]: record for record in crm.hubspot.records(stream)}
    archived = {record["id"] for record in crm.hubspot.archived(stream)}
    lost = people.purged.get(stream, set())
    for one, record in live.items():
        yield from _of_live(one, record, rows.get(one), table)
    for one in archived:
        if one not in rows or rows[one].is_live:
            yield f"{one} is archived, but {'not there' if one not in rows else 'live'}"
    for one in people.merged.get(stream, {}):
        winner = people.winner(stream, one)
        if winner in live or winner in archived:
            yield from _of_merged(one, winner, rows.get(one))
        else:
            lost = lost | {one}  # nobody tells of it any more
    for one in rows.keys() - live.keys() - archived - people.merged.get(stream, {}).keys() - lost:
        yield f"{one} was never there"


def _of_live(one: str, record: Json, row: Row | None, table: Table) -> Iterator[str]:
    if row is None:
        yield f"{one} is missing"
        return
    for name in (DELETED, "merged_into_id", "archivedAt"):
        if row.values.get(name) is not None:
            yield f"{one} is live, but has {name}"
    for name in _TOP:
        if row.values.get(name) != record[name]:
            yield f"{one}.{name} is {record[name]!r}, but {row.values.get(name)!r} arrived"
    for column in table.columns():
        place, _, name = column.partition(".")
        if place == SPREAD and name in record["properties"]:
            wanted = typed(row.types.get(column) or {}, record["properties"][name])
            if row.values.get(column) != wanted:
                yield f"{one}.{column} is {wanted!r}, but {row.values.get(column)!r} arrived"


def _of_merged(one: str, winner: str, row: Row | None) -> Iterator[str]:
    if row is None or row.is_live:
        yield f"{one} was merged into {winner}, but is {'not there' if row is None else 'live'}"
    elif row.values.get("merged_into_id") != winner:
        yield f"{one} was merged into {winner}, but points to {row.values.get('merged_into_id')}"


def typed(schema: Json, text: str | None) -> object:
    """A property's text as the schema with which it came says that it should be."""
    kinds = schema.get("type") or ["string"]
    if text is None or (text == "" and not _is_text(schema)):
        return None
    if "number" in kinds:
        try:
            return Decimal(text)
        except InvalidOperation:
            return None
    if "boolean" in kinds:
        return {"true": True, "false": False}.get(text)
    return text


def _is_text(schema: Json) -> bool:
    return "string" in (schema.get("type") or ["string"]) and "format" not in schema


CHECKS: Mapping[str, Check] = dict.fromkeys(("contacts", "companies", "deals", "tickets"), object_differences)
