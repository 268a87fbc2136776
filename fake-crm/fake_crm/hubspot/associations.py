"""Associations (vendor pages "Associations" v4 and dated): batch read, labels, writing."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.hubspot.objects import batch_reply
from fake_crm.hubspot.paging import cursor, page, page_limit
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call
    from fake_crm.hubspot.kinds import Kind

    Json = dict[str, Any]

MOST_INPUTS = 1000
MOST_A_PAGE = 500


def batch_read(call: Call) -> Reply:
    """POST batch/read: up to 1,000 ids, each with a cursor of its own; 207 for those that have no association."""
    source, target = call.kind("from"), call.kind("to")
    results: list[Json] = []
    errors: list[Json] = []
    for each in _inputs(call):
        key = str(each.get("id"))
        if not (key.isascii() and key.isdecimal()):
            errors.append(_error("INVALID_IDENTIFIER", f"{key} is no valid id", key, source, target))
            continue
        linked = _linked(call, source, target, int(key))
        if linked:
            results.append(_part(linked, key, each.get("after"), call.quirks.association_page))
        else:
            message = f"No {target.singular} is associated with {source.singular} {key}."
            errors.append(_error("NO_ASSOCIATIONS_FOUND", message, key, source, target))
    return batch_reply(call, results, errors)


def of_record(call: Call) -> Reply:
    """GET one record's associations with a type: 500 a page."""
    source, target = call.kind(), call.kind("to")
    limit, start = page_limit(call, MOST_A_PAGE, MOST_A_PAGE), cursor(call)
    if call.world.store(source.name).live.get(call.path["id"]) is None:
        raise not_found()
    rows = [row for row in _linked(call, source, target, int(call.path["id"])) if row["toObjectId"] >= start]
    after = str(rows[limit]["toObjectId"]) if len(rows) > limit else None
    return Reply.of(page(call, rows[:limit], after))


def labels(call: Call) -> Reply:
    """GET the types of a pair, labelled ones and the one without a label; none of a pair that does not exist."""
    pair = (call.kind("from").name, call.kind("to").name)
    return Reply.of({"results": [each.rendered() for each in call.world.links.labels(pair)]})


def batch_create(call: Call) -> Reply:
    """POST batch/create (with types) and batch/associate/default (without)."""
    source, target = call.kind("from"), call.kind("to")
    inputs = _inputs(call)
    for each in inputs:
        types = tuple(int(link["associationTypeId"]) for link in each.get("types") or ())
        _associate(call, (source, str(each["from"]["id"])), (target, str(each["to"]["id"])), types)
    rows = [{"from": each["from"], "to": each["to"]} for each in inputs]
    return batch_reply(call, rows, [], 201)


def batch_archive(call: Call) -> Reply:
    """POST batch/archive: `to` is a list here."""
    source, target = call.kind("from"), call.kind("to")
    for each in _inputs(call):
        for other in each["to"]:
            call.world.dissociate(source.name, str(each["from"]["id"]), target.name, str(other["id"]))
    return Reply(204)


def put(call: Call) -> Reply:
    """PUT an association with the types in the body, or at …/default/… with none."""
    source, target = call.kind(), call.kind("to")
    types = tuple(int(each["associationTypeId"]) for each in call.request.json or ())
    _associate(call, (source, call.path["id"]), (target, call.path["to_id"]), types)
    pair = (source.name, target.name)
    row = {
        "fromObjectTypeId": source.type_id,
        "fromObjectId": int(call.path["id"]),
        "toObjectTypeId": target.type_id,
        "toObjectId": int(call.path["to_id"]),
        "labels": [each.label for each in call.world.links.types(pair) if each.type_id in types and each.label],
    }
    return Reply.of(row, 201)


def delete(call: Call) -> Reply:
    """DELETE all associations of two records."""
    a, b = call.path["id"], call.path["to_id"]
    if not (a.isdecimal() and b.isdecimal()):
        raise invalid(f"{a} or {b} is no valid id")
    call.world.dissociate(call.kind().name, a, call.kind("to").name, b)
    return Reply(204)


def _inputs(call: Call) -> list[Json]:
    inputs = call.body("inputs").get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise invalid("inputs must be a list of at least one object")
    if len(inputs) > MOST_INPUTS:
        raise invalid(f"The maximum number of inputs is {MOST_INPUTS}")
    return inputs


def _linked(call: Call, source: Kind, target: Kind, number: int) -> list[Json]:
    here, there = call.world.store(source.name).live, call.world.store(target.name).live
    if here.get(str(number)) is None:
        return []
    # ids are text everywhere else, but toObjectId is a number on the wire (observed; the specification says text)
    return [
        {"toObjectId": b, "associationTypes": [link.rendered() for link in types]}
        for b, types in call.world.links.of((source.name, target.name), number)
        if there.get(str(b))
    ]


def _part(linked: list[Json], key: str, after: Any, size: int) -> Json:
    start = _opened(after) if after else 0
    rows = [row for row in linked if row["toObjectId"] >= start]
    part: Json = {"from": {"id": key}, "to": rows[:size]}
    if len(rows) > size:
        part["paging"] = {"next": {"after": base64.b64encode(str(rows[size]["toObjectId"]).encode()).decode()}}
    return part


def _opened(after: Any) -> int:
    try:
        return int(base64.b64decode(str(after).replace("%3D", "="), validate=True))
    except (ValueError, binascii.Error):
        raise invalid(f"Invalid cursor after={after!r}") from None


def _error(code: str, message: str, key: str, source: Kind, target: Kind) -> Json:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND" if code == "NO_ASSOCIATIONS_FOUND" else "VALIDATION_ERROR",
        "subCategory": f"crm.associations.{code}",
        "message": message,
        "context": {
            "fromObjectId": [key],
            "fromObjectType": [source.singular],
            "toObjectType": [target.singular],
        },
    }


def _associate(call: Call, source: tuple[Kind, str], target: tuple[Kind, str], types: tuple[int, ...]) -> None:
    (kind, a), (other, b) = source, target
    if not all(call.world.links.known((kind.name, other.name), each) for each in types):
        raise invalid(f"{list(types)} are not association types from {kind.singular} to {other.singular}")
    if call.world.store(kind.name).live.get(a) is None or call.world.store(other.name).live.get(b) is None:
        raise invalid(f"{kind.singular} {a} or {other.singular} {b} does not exist")
    call.world.associate(kind.name, a, other.name, b, type_ids=types)
