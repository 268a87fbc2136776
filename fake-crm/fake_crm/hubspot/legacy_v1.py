"""LEGACY: the v1, v2 and v4 paths that singer-io's tap-hubspot 4.5.0 still calls, here only to measure it by.

HubSpot gives them up in 2027; nothing new may be built on them. Vendor pages (legacy docs) "Get all companies", "Get a
company", "Get all deals". Values are objects with the instant at which they were set; dates are epoch milliseconds.
Unverified: that properties without a value are left out, and the fields of a version beyond those here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fake_crm.clock import millis_of
from fake_crm.hubspot.definitions import STAMP
from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fake_crm.hubspot.call import Call
    from fake_crm.hubspot.properties import Property
    from fake_crm.hubspot.records import Record
    from fake_crm.hubspot.world import Store

    Json = dict[str, Any]

_MOST_A_PAGE = 250
_DEFAULT_PAGE = 100
_VERSIONS = 20  # of each property in a single record
_NAMES = {"companies": "companyId", "deals": "dealId"}


def company_properties(call: Call) -> Reply:
    """GET /companies/v2/properties: a bare list."""
    return _definitions(call, "companies")


def deal_properties(call: Call) -> Reply:
    """GET /properties/v1/deals/properties: a bare list."""
    return _definitions(call, "deals")


def companies(call: Call) -> Reply:
    """GET /companies/v2/companies/paged: up to 250, with the properties asked for."""
    return _page(call, "companies", call.many("properties"), "has-more")


def company(call: Call) -> Reply:
    """GET /companies/v2/companies/{id}: all properties that have a value, each with its versions."""
    store = call.world.store("companies")
    record = store.live.get(call.path["id"])
    if record is None:
        raise not_found()
    return Reply.of(_shown(call, store, record, store.properties, versions=_VERSIONS))


def deals(call: Call) -> Reply:
    """GET /deals/v1/deal/paged: up to 250, with all properties if includeAllProperties says so."""
    everything = (call.one("includeAllProperties") or "").lower() == "true"
    names = call.world.store("deals").properties if everything else call.many("properties")
    return _page(call, "deals", names, "hasMore", associated=True)


def _definitions(call: Call, kind: str) -> Reply:
    return Reply.of([each.rendered(STAMP) for each in call.world.store(kind).properties.values()])


def _page(call: Call, kind: str, names: Iterable[str], more: str, *, associated: bool = False) -> Reply:
    """A page; `offset` is the id of its last record."""
    store = call.world.store(kind)
    limit, offset = _number(call, "limit", _DEFAULT_PAGE), _number(call, "offset", 0)
    waiting = store.live.from_id(offset + 1)
    wanted = [*names]
    rows = [_shown(call, store, record, wanted) for record in waiting[: min(limit, _MOST_A_PAGE)]]
    if associated:
        rows = [{**row, "associations": _linked(call, row["dealId"])} for row in rows]
    last = rows[-1][_NAMES[kind]] if rows else offset
    return Reply.of({kind: rows, more: len(waiting) > len(rows), "offset": last})


def _number(call: Call, name: str, default: int) -> int:
    text = call.one(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise invalid(f"Invalid {name} {text!r}: it must be a number")
    return int(text)


def _shown(call: Call, store: Store, record: Record, names: Iterable[str], versions: int = 1) -> Json:
    known = (store.properties[name] for name in names if name in store.properties)
    values = {each.name: _value(store, record, each, versions) for each in known}
    return {
        "portalId": call.world.account.portal_id,
        _NAMES[store.kind.name]: record.number,
        "isDeleted": False,  # of live ones; archived ones are in no list
        "properties": {name: value for name, value in values.items() if value is not None},
    }


def _value(store: Store, record: Record, definition: Property, most: int) -> Json | None:
    name, kind = definition.name, store.kind
    if record.value(name, kind) is None:
        return None
    versions = [
        {
            "name": name,
            "value": _as_v1(definition, each.value),
            "timestamp": record.updated if name == kind.modified else each.at,
            "source": each.source,
            "sourceVid": [],
        }
        for each in record.versions(name, kind)[:most]
    ]
    latest = versions[0]
    same = {field: latest[field] for field in ("value", "timestamp", "source")}
    return {**same, "sourceId": "fake-crm", "versions": versions}


def _as_v1(definition: Property, value: str | None) -> str:
    if value and definition.type in {"date", "datetime"}:
        instant = datetime.fromisoformat(value)
        return str(millis_of(instant if instant.tzinfo else instant.replace(tzinfo=UTC)))
    return value or ""


def _linked(call: Call, number: int) -> Json:
    if (call.one("includeAssociations") or "").lower() != "true":
        return {"associatedVids": [], "associatedCompanyIds": [], "associatedDealIds": []}
    vids, ids = ([b for b, _ in call.world.links.of(("deals", other), number)] for other in ("contacts", "companies"))
    return {"associatedVids": vids, "associatedCompanyIds": ids, "associatedDealIds": []}
