"""Lists and their members (vendor page "Lists"): the search, reading by id, members, writing."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.hubspot.paging import flag, page, page_limit
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call

    Json = dict[str, Any]

MOST_FOUND = 500
MOST_MEMBERS = 250
PROCESSING_TYPES = ("MANUAL", "SNAPSHOT", "DYNAMIC")
_SEARCH = ("listIds", "offset", "query", "count", "processingTypes", "additionalProperties", "sort", "objectTypeId")
_CREATE = ("name", "objectTypeId", "processingType", "filterBranch", "membershipSettings", "listPermissions",
           "customProperties", "listFolderId")  # fmt: skip


@dataclass
class HubList:
    """One list. Instants are epoch milliseconds; `members` holds the time at which each record came."""

    id: str
    name: str
    object_type: str
    processing: str
    created: int
    updated: int
    filters: Json | None = None
    members: dict[int, int] = field(default_factory=dict)
    deleted: int | None = None
    left: int | None = None

    def found(self) -> Json:
        """The list as the search gives it: without filters and size; additional properties are text."""
        return {**self._common(), "additionalProperties": self._additional()}

    def rendered(self, *, filters: bool) -> Json:
        """The list as reading by id gives it."""
        shown = {**self._common(), "size": len(self.members), "membershipSettings": {}, "listPermissions": {}}
        return {**shown, "filterBranch": self.filters} if filters and self.filters else shown

    def _common(self) -> Json:
        return {
            "listId": self.id,
            "listVersion": 1,
            "name": self.name,
            "objectTypeId": self.object_type,
            "processingType": self.processing,
            "processingStatus": "COMPLETE",
            "createdAt": iso(self.created),
            "createdById": "5000001",
            "updatedAt": iso(self.updated),
            "updatedById": "5000001",
            "filtersUpdatedAt": iso(self.created),
        }

    def _additional(self) -> Json:
        came = max(self.members.values(), default=None)
        stamps = {"hs_last_record_added_at": came, "hs_last_record_removed_at": self.left}
        shown = {name: str(at) for name, at in stamps.items() if at is not None}
        return {"hs_list_size": str(len(self.members)), "hs_list_reference_count": "0", **shown}


def search(call: Call) -> Reply:
    """POST search: at most 500 a page, none beyond the 10,000th. The wordings and the order are unverified."""
    body = call.body(*_SEARCH)
    count, offset = int(body.get("count", 20)), int(body.get("offset", 0))
    if not 1 <= count <= MOST_FOUND:
        raise invalid(f"count must be a number from 1 to {MOST_FOUND}")
    if offset >= call.quirks.search_cap:
        raise invalid(f"offset must be below {call.quirks.search_cap}")
    types = body.get("processingTypes") or PROCESSING_TYPES
    if unknown := set(types) - set(PROCESSING_TYPES):
        raise invalid(f"unknown processingTypes {sorted(unknown)}")
    rows = [each for each in _live(call) if each.processing in types and _is_meant(each, body)]
    shown = rows[offset : offset + count]
    reached = offset + len(shown)
    return Reply.of(
        {
            "lists": [each.found() for each in shown],
            "hasMore": reached < len(rows),
            "offset": reached,
            "total": len(rows),
        }
    )


def everything(call: Call) -> Reply:
    """POST all, a beta: lists by type and by cursor. Unverified: its page size, and that it has no ceiling."""
    body = call.body("processingTypes", "additionalProperties", "objectTypeId", "count", "after")
    count = int(body.get("count", 100))
    if not 1 <= count <= MOST_FOUND:
        raise invalid(f"count must be a number from 1 to {MOST_FOUND}")
    types = body.get("processingTypes") or PROCESSING_TYPES
    passed = _opened(body.get("after"))[0]
    rows = [each for each in _live(call) if each.processing in types and _is_meant(each, body)]
    waiting = sorted((each for each in rows if int(each.id) > passed), key=lambda each: int(each.id))
    after = _cursor(int(waiting[count - 1].id), 0) if len(waiting) > count else None
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return Reply.of({"results": [each.found() for each in waiting[:count]], "total": len(rows), **paging})


def by_ids(call: Call) -> Reply:
    """GET several lists by `listIds`; those that do not exist are left out."""
    wanted = set(call.many("listIds"))
    rows = [each.rendered(filters=_with_filters(call)) for each in _live(call) if each.id in wanted]
    return Reply.of({"lists": rows})


def one(call: Call) -> Reply:
    """GET one list."""
    return Reply.of({"list": _found(call).rendered(filters=_with_filters(call))})


def by_name(call: Call) -> Reply:
    """GET one list by its object type and name."""
    kind = call.kind().type_id
    for each in _live(call):
        if (each.object_type, each.name) == (kind, call.path["name"]):
            return Reply.of({"list": each.rendered(filters=_with_filters(call))})
    raise not_found(f"no list is called {call.path['name']}")


def create(call: Call) -> Reply:
    """POST a list; names are unique within an object type."""
    body = call.body(*_CREATE)
    kind = call.world.kinds.find(str(body["objectTypeId"]))
    if any((each.object_type, each.name) == (kind.type_id, body["name"]) for each in _live(call)):
        raise invalid(f"a list called {body['name']} exists")
    list_id = call.world.add_list(
        str(body["name"]), kind.name, processing=str(body["processingType"]), filters=body.get("filterBranch")
    )
    return Reply.of({"list": call.world.lists[list_id].rendered(filters=True)})


def delete(call: Call) -> Reply:
    """DELETE a list; it can be restored for 90 days."""
    call.world.remove_list(_found(call).id)
    return Reply(204)


def restore(call: Call) -> Reply:
    """PUT restore."""
    if call.path["id"] not in call.world.lists:
        raise not_found()
    call.world.restore_list(call.path["id"])
    return Reply(204)


def add_members(call: Call) -> Reply:
    """PUT memberships/add: a list of record ids in the body."""
    found = _writable(call)
    given = [str(each) for each in call.request.json or ()]
    shelf = call.world.store(found.object_type).live
    known = [each for each in given if shelf.get(each)]
    call.world.add_members(found.id, *known)
    return _changed(added=known, missing=[each for each in given if each not in known])


def remove_members(call: Call) -> Reply:
    """PUT memberships/remove: a list of record ids in the body."""
    found = _writable(call)
    given = [str(each) for each in call.request.json or ()]
    there = [each for each in given if int(each) in found.members]
    call.world.remove_members(found.id, *there)
    return _changed(removed=there, missing=[each for each in given if each not in there])


def members(call: Call) -> Reply:
    """GET members by ascending record id, 250 a page at most; the cursor is opaque."""
    found = _found(call)
    after = _opened(call.one("after"))[0]
    return _member_page(call, [(number, at) for number, at in sorted(found.members.items()) if number > after])


def members_by_time(call: Call) -> Reply:
    """GET members in the order in which they came."""
    found = _found(call)
    after = _opened(call.one("after"))[::-1]
    rows = sorted(found.members.items(), key=lambda row: (row[1], row[0]))
    return _member_page(call, [(number, at) for number, at in rows if (at, number) > after])


def _member_page(call: Call, waiting: list[tuple[int, int]]) -> Reply:
    limit = page_limit(call, MOST_MEMBERS, default=100)
    rows = [{"recordId": str(number), "membershipTimestamp": iso(at)} for number, at in waiting[:limit]]
    after = _cursor(*waiting[limit - 1]) if len(waiting) > limit else None
    return Reply.of({**page(call, rows, after), "total": len(_found(call).members)})


def _cursor(number: int, at: int) -> str:
    return base64.b64encode(f"{number}:{at}".encode()).decode()


def _opened(after: str | None) -> tuple[int, int]:
    if not after:
        return -1, -1
    try:
        number, _, at = base64.b64decode(after, validate=True).decode().partition(":")
        return int(number), int(at)
    except (ValueError, binascii.Error):
        raise invalid(f"Invalid cursor after={after!r}") from None


def _changed(*, added: list[str] | None = None, removed: list[str] | None = None, missing: list[str]) -> Reply:
    return Reply.of({"recordsIdsAdded": added or [], "recordIdsRemoved": removed or [], "recordIdsMissing": missing})


def _live(call: Call) -> list[HubList]:
    return [each for each in call.world.lists.values() if each.deleted is None]


def _found(call: Call) -> HubList:
    found = call.world.lists.get(call.path["id"])
    if found is None or found.deleted is not None:
        raise not_found(f"List does not exist with ID {call.path['id']}.")
    return found


def _writable(call: Call) -> HubList:
    found = _found(call)
    if found.processing == "DYNAMIC":
        raise invalid("members of a DYNAMIC list cannot be written")
    return found


def _is_meant(each: HubList, body: Json) -> bool:
    return (
        body.get("objectTypeId") in {None, each.object_type}
        and str(body.get("query") or "").lower() in each.name.lower()
        and each.id in (body.get("listIds") or {each.id})
    )


def _with_filters(call: Call) -> bool:
    return flag(call, "includeFilters")
