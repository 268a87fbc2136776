"""List views of objects (vendor page "List Views"): which there are, what they show, and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError, not_found
from fake_crm.salesforce.reports import Definition
from fake_crm.salesforce.soql.paths import getter
from fake_crm.salesforce.soql.running import picked, planned
from fake_crm.salesforce.values import any_id
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.soql.binding import Plan
    from fake_crm.salesforce.values import Row

_USUAL_ROWS, _MOST_ROWS = 25, 2_000


def every_view(call: Call) -> Reply:
    """GET sobjects/{name}/listviews."""
    kind = call.kind()
    found = [_entry(call, kind, row) for row in _views(call, kind)]
    return Reply.of(
        {"done": True, "listviews": found, "nextRecordsUrl": None, "size": len(found), "sobjectType": kind.name}
    )


def describe(call: Call) -> Reply:
    """GET sobjects/{name}/listviews/{id}/describe."""
    kind, row, plan = _found(call)
    return Reply.of(
        {
            "columns": _columns(plan),
            "id": row["Id"],
            "orderBy": [],
            "query": plan.query.text,
            "scope": "everything",
            "sobjectType": kind.name.lower(),
            "whereCondition": None,
        }
    )


def results(call: Call) -> Reply:
    """GET sobjects/{name}/listviews/{id}/results: 25 rows unless `limit` says more, 2,000 at most."""
    _, row, plan = _found(call)
    limit, offset = (_amount(call, name, usual) for name, usual in (("limit", _USUAL_ROWS), ("offset", 0)))
    if limit > _MOST_ROWS:
        raise ApiError(400, "ILLEGAL_QUERY_PARAMETER_VALUE", f"limit must be between 0 and {_MOST_ROWS}")
    found = picked(call.org, plan, everything=False)
    records = [_record(call, plan, each) for each in found.part(offset, offset + limit)]
    return Reply.of(
        {
            "columns": _columns(plan),
            "developerName": row["DeveloperName"],
            "done": offset + limit >= len(found),
            "id": row["Id"],
            "label": row["Name"],
            "records": records,
            "size": len(records),
        }
    )


def _amount(call: Call, name: str, usual: int) -> int:
    text = call.one(name)
    if text is None:
        return usual
    if not text.isdecimal():
        raise ApiError(400, "ILLEGAL_QUERY_PARAMETER_VALUE", f"{name} must be a number")
    return int(text)


def _views(call: Call, kind: SObject) -> list[Row]:
    """Those that were made for the object; where there are none, all made-up ones stand for it."""
    rows = list(call.org.table("ListView").scan())
    return [row for row in rows if row.get("SobjectType") == kind.name] or [
        row for row in rows if str(row["Id"]) not in call.org.definitions
    ]


def _entry(call: Call, kind: SObject, row: Row) -> dict[str, Any]:
    own = f"{call.root}/sobjects/{kind.name}/listviews/{row['Id']}"
    return {
        "describeUrl": f"{own}/describe",
        "developerName": row["DeveloperName"],
        "id": row["Id"],
        "label": row["Name"],
        "resultsUrl": f"{own}/results",
        "soqlCompatible": True,
        "url": own,
    }


def _found(call: Call) -> tuple[SObject, Row, Plan]:
    kind = call.kind()
    wanted = any_id(call.path["id"])
    row = next((each for each in _views(call, kind) if each["Id"] == wanted), None)
    if row is None:
        raise not_found()
    usual = Definition(kind.name, tuple(name for name in ("Name", "Id", "CreatedDate") if name in kind.fields))
    return kind, row, planned(call.org, call.org.definitions.get(wanted, usual).query())


def _columns(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "ascendingLabel": None,
            "descendingLabel": None,
            "fieldNameOrPath": ".".join(found.names),
            "hidden": False,
            "label": found.field.label or found.field.name,
            "selectListItem": ".".join(found.names),
            "sortDirection": None,
            "sortIndex": None,
            "sortable": found.field.sortable,
            "type": found.field.type,
        }
        for found in plan.columns
    ]


def _record(call: Call, plan: Plan, row: Row) -> dict[str, Any]:
    """A row: all values are text here."""
    values = ((".".join(found.names), getter(call.org, found)(row)) for found in plan.columns)
    return {"columns": [{"fieldNameOrPath": name, "value": _shown(value)} for name, value in values]}


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
