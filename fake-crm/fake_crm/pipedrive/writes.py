"""Writes that tests and the vendor's client make while somebody reads: v2's rows, merges, v1's leads and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.pipedrive.call import answer
from fake_crm.pipedrive.errors import bad_request, not_found
from fake_crm.pipedrive.shapes import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.pipedrive.call import Call
    from fake_crm.wire import Reply

    Json = dict[str, Any]

_NUMBERS = frozenset({"owner_id", "person_id", "org_id", "stage_id", "pipeline_id", "value"})
_TITLES = {"persons": "name", "organizations": "name", "products": "name", "activities": "subject"}


def create(table: str) -> Callable[[Call], Reply]:
    """POST a row."""

    def handler(call: Call) -> Reply:
        body = _checked(call, table)
        title = "content" if table == "notes" else _TITLES.get(table, "title")
        if not body.get(title):
            raise bad_request(f"{title} is required")
        key = call.world.create(table, **body)
        return answer(call.world.get(table, key))

    return handler


def update(table: str) -> Callable[[Call], Reply]:
    """PATCH a row."""

    def handler(call: Call) -> Reply:
        key = _key(call, table)
        body = _checked(call, table)
        if table == "deals" and "is_archived" in body:
            call.world.archive(table, key, archived=bool(body.pop("is_archived")))
        call.world.update(table, key, **body)
        return answer(call.world.get(table, key))

    return handler


def delete(table: str) -> Callable[[Call], Reply]:
    """DELETE a row."""

    def handler(call: Call) -> Reply:
        key = _key(call, table)
        call.world.delete(table, key)
        return answer({"id": key})

    return handler


def merge(table: str) -> Callable[[Call], Reply]:
    """PUT {id}/merge: the named row goes into `merge_with_id`."""

    def handler(call: Call) -> Reply:
        loser, winner = _key(call, table), call.body().get("merge_with_id")
        if not isinstance(winner, int) or call.world.get(table, winner) is None:
            raise bad_request("merge_with_id must be the id of another one")
        call.world.merge(table, loser, winner)
        return answer(call.world.get(table, winner))

    return handler


def _key(call: Call, table: str) -> Any:
    key: Any = call.path["id"] if table == "leads" else call.number()
    row = call.world.get(table, key)
    if row is None or row.get("is_deleted"):
        raise not_found()
    return key


def _checked(call: Call, table: str) -> Json:
    """A body with known fields only, and no numbers as text."""
    body = dict(call.body())
    known = {*DEFAULTS[table], "custom_fields"}
    if unknown := sorted(body.keys() - known):
        raise bad_request(f"unknown fields: {', '.join(unknown)}")
    if wrong := sorted(name for name in _NUMBERS & body.keys() if isinstance(body[name], str)):
        raise bad_request(f"must be numbers: {', '.join(wrong)}")
    return body
