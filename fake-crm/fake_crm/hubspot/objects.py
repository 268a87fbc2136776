"""Records: lists, single ones, batches, writing (vendor pages "Contacts", "Companies", … and "Using object APIs")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot.errors import ApiError, invalid, not_found
from fake_crm.hubspot.paging import archived_flag, cursor, page, page_limit
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fake_crm.hubspot.call import Call
    from fake_crm.hubspot.kinds import Kind
    from fake_crm.hubspot.records import Record, Shelf
    from fake_crm.hubspot.world import Store

    Json = dict[str, Any]

MOST_A_PAGE = 100
MOST_WITH_HISTORY = 50
MOST_INLINE_LINKS = 100  # of each type, in a list or single record
_HISTORY_REFUSAL = (
    "The maximum number of inputs supported in a batch request for property histories is 50. "
    "Please reduce the number of items and try again"
)


def list_page(call: Call) -> Reply:
    """GET a page of live records, or with archived=true of the recycle bin, by ascending id."""
    store = call.world.store(call.kind().name)
    history = call.many("propertiesWithHistory")
    limit = page_limit(call, MOST_WITH_HISTORY if history else MOST_A_PAGE)
    shelf = store.archived if archived_flag(call) else store.live
    waiting = shelf.from_id(cursor(call), as_text=call.quirks.ids_as_text)
    count = int(limit * call.quirks.next_page())
    rows = [_shown(call, store, record) for record in waiting[:count]]
    after = waiting[count].id if len(waiting) > count else None
    if after is not None and not count:
        after = f"0{call.one('after') or after}"  # another cursor to the same place: an empty page must go on
    return Reply.of(page(call, rows, after))


def one(call: Call) -> Reply:
    """GET a record by its id, or by a unique property named in idProperty."""
    store = call.world.store(call.kind().name)
    shelf = store.archived if archived_flag(call) else store.live
    record = _finder(store, shelf, call.one("idProperty"))(call.path["id"])
    if record is None:
        raise not_found()
    return Reply.of(_shown(call, store, record))


def create(call: Call) -> Reply:
    """POST a record; 409 where a unique value is taken."""
    store = call.world.store(call.kind().name)
    body = call.body("properties", "associations", "objectWriteTraceId")
    record_id = _create(call, store, body)
    return Reply.of(_after_write(call, store, record_id), 201)


def update(call: Call) -> Reply:
    """PATCH some properties of a record; an empty text clears one."""
    store = call.world.store(call.kind().name)
    record = _finder(store, store.live, call.one("idProperty"))(call.path["id"])
    if record is None:
        raise not_found()
    _write(call, store, record.id, call.body("properties", "objectWriteTraceId"))
    return Reply.of(_after_write(call, store, record.id))


def archive(call: Call) -> Reply:
    """DELETE: into the recycle bin; one that is not there is no error."""
    store = call.world.store(call.kind().name)
    if store.live.get(call.path["id"]):
        call.world.archive(store.kind.name, call.path["id"])
    return Reply(204)


def merge(call: Call) -> Reply:
    """POST merge: the primary record stays."""
    store = call.world.store(call.kind().name)
    body = call.body("primaryObjectId", "objectIdToMerge")
    winner, loser = str(body.get("primaryObjectId")), str(body.get("objectIdToMerge"))
    if winner == loser or not all(store.live.get(each) for each in (winner, loser)):
        raise invalid(f"cannot merge {loser} into {winner}: both must be different live records")
    call.world.merge(store.kind.name, winner, loser)
    return Reply.of(_after_write(call, store, winner))


def gdpr_delete(call: Call) -> Reply:
    """POST gdpr-delete: a contact is deleted for good."""
    call.world.purge("contacts", str(call.body("objectId", "idProperty").get("objectId")))
    return Reply(204)


def batch_read(call: Call) -> Reply:
    """POST batch/read: up to 100 ids (50 with history), no associations; 207 where some do not exist."""
    store = call.world.store(call.kind().name)
    body = call.body("properties", "propertiesWithHistory", "idProperty", "inputs")
    history = tuple(body.get("propertiesWithHistory") or ())
    keys = [str(each.get("id")) for each in _inputs(body, MOST_A_PAGE)]
    if history and len(keys) > MOST_WITH_HISTORY:
        raise invalid(_HISTORY_REFUSAL)
    shelf = store.archived if archived_flag(call) else store.live
    find = _finder(store, shelf, body.get("idProperty"))
    found = {key: find(key) for key in keys}
    names, past = _names(store, body.get("properties") or ()), _existing(store, history)
    rows = {record.number: _rendered(call, store, record, names, past) for record in found.values() if record}
    missing = [key for key, record in found.items() if record is None]
    return batch_reply(call, list(rows.values()), [_missing(store.kind, missing)] if missing else [])


def batch_create(call: Call) -> Reply:
    """POST batch/create."""
    store = call.world.store(call.kind().name)
    ids = [_create(call, store, each) for each in _inputs(call.body("inputs"), MOST_A_PAGE)]
    return batch_reply(call, [_after_write(call, store, each) for each in ids], [], 201)


def batch_update(call: Call) -> Reply:
    """POST batch/update; 207 where some do not exist."""
    store = call.world.store(call.kind().name)
    inputs = _inputs(call.body("inputs"), MOST_A_PAGE)
    missing = [str(each.get("id")) for each in inputs if store.live.get(str(each.get("id"))) is None]
    ids = [str(each["id"]) for each in inputs if str(each.get("id")) not in missing]
    for each in inputs:
        if str(each.get("id")) in ids:
            _write(call, store, str(each["id"]), each)
    errors = [_missing(store.kind, missing)] if missing else []
    return batch_reply(call, [_after_write(call, store, each) for each in ids], errors)


def batch_archive(call: Call) -> Reply:
    """POST batch/archive."""
    store = call.world.store(call.kind().name)
    for each in _inputs(call.body("inputs"), MOST_A_PAGE):
        if store.live.get(str(each.get("id"))):
            call.world.archive(store.kind.name, str(each["id"]))
    return Reply(204)


def batch_reply(call: Call, results: list[Json], errors: list[Json], status: int = 200) -> Reply:
    """A batch's answer; 207 where it has errors."""
    now = iso(call.world.now())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply.of(body, 207 if errors else status)


def _inputs(body: Json, most: int) -> list[Json]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
        raise invalid("inputs must be a list of objects")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}")
    return inputs


def _missing(kind: Kind, keys: list[str]) -> Json:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": keys},
    }


def _finder(store: Store, shelf: Shelf, by: str | None) -> Callable[[str], Record | None]:
    """How records are found: by id, or by the value of a unique property."""
    if by in {None, "", "hs_object_id"}:
        return shelf.get
    assert by is not None
    definition = store.properties.get(by)
    if definition is None or not definition.unique:
        raise invalid(f"{by} is not a unique property of {store.kind.name}")
    # e-mail addresses are found in any case
    known = {str(record.value(by, store.kind)).lower(): record for record in shelf.ordered()}
    return lambda key: known.get(key.lower())


def _existing(store: Store, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in store.properties)  # unknown ones are ignored


def _names(store: Store, asked: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(_existing(store, asked) or store.kind.defaults), *store.kind.always)))


def _shown(call: Call, store: Store, record: Record) -> Json:
    history = _existing(store, call.many("propertiesWithHistory"))
    shown = _rendered(call, store, record, _names(store, call.many("properties")), history)
    linked = {
        other.name: _links(call, store, record, other)
        for other in map(call.world.kinds.find, call.many("associations"))
    }
    linked = {name: value for name, value in linked.items() if value}
    return {**shown, "associations": linked} if linked else shown


def _rendered(call: Call, store: Store, record: Record, names: Sequence[str], history: Sequence[str]) -> Json:
    shown = call.world.rendered(store, record, names)
    if history:
        shown["propertiesWithHistory"] = {name: _history(store, record, name) for name in history}
    return shown


def _history(store: Store, record: Record, name: str) -> list[Json]:
    return [each.rendered() for each in record.versions(name, store.kind)]


def _links(call: Call, store: Store, record: Record, other: Kind) -> Json | None:
    there = call.world.store(other.name).live
    linked = call.world.links.of((store.kind.name, other.name), record.number)
    rows = [
        {
            "id": str(b),
            "type": f"{store.kind.singular}_to_{other.singular}" + ("" if link.label is None else "_labelled"),
        }
        for b, types in linked
        if there.get(str(b))
        for link in types
    ]
    if not rows:
        return None
    rest = rows[MOST_INLINE_LINKS:]
    more = {"paging": {"next": {"after": rest[0]["id"], "link": call.base + call.request.path}}} if rest else {}
    return {"results": rows[:MOST_INLINE_LINKS], **more}


def _after_write(call: Call, store: Store, record_id: str) -> Json:
    record = store.live.get(record_id)
    assert record is not None
    return call.world.rendered(store, record, _names(store, (*store.kind.defaults, *record.own)))


def _create(call: Call, store: Store, body: Json) -> str:
    values = _checked(store, body)
    _refuse_taken(store, values)
    record_id = call.world.create(store.kind.name, values)
    for link in body.get("associations") or ():
        types = [int(each["associationTypeId"]) for each in link["types"]]
        other = call.world.linked_kind(store.kind.name, types)
        call.world.associate(store.kind.name, record_id, other, str(link["to"]["id"]), type_ids=types)
    return record_id


def _write(call: Call, store: Store, record_id: str, body: Json) -> None:
    values = _checked(store, body)
    _refuse_taken(store, values, except_for=record_id)
    call.world.update(store.kind.name, record_id, values)


def _checked(store: Store, body: Json) -> dict[str, str | None]:
    given = body.get("properties")
    if not isinstance(given, dict):
        raise invalid("properties must be an object")
    values = {name: _text(value) for name, value in given.items()}
    problems = [_problem(store, name, value) for name, value in values.items()]
    errors = [problem for problem in problems if problem]
    if errors:
        raise invalid("Property values were not valid", *errors)
    return values


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(store: Store, name: str, value: str | None) -> Json | None:
    definition = store.properties.get(name)
    if definition is None:
        code, message = "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
    elif definition.read_only or definition.calculated:
        code, message = "READ_ONLY_VALUE", f'"{name}" is a read only property'
    else:
        code = (value is not None and definition.problem(value)) or ""
        message = f"{value} does not fit {name}"
    return {"message": message, "code": code, "context": {"propertyName": [name]}} if code else None


def _refuse_taken(store: Store, values: dict[str, str | None], except_for: str | None = None) -> None:
    for name, value in values.items():
        if value is None or not store.properties[name].unique:
            continue
        holder = _finder(store, store.live, name)(value)
        if holder and holder.id != except_for:
            noun = store.kind.singular.capitalize()
            raise ApiError(409, f"{noun} already exists. Existing ID: {holder.id}", "CONFLICT")
