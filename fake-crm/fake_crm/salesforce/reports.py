"""Reports (vendor page "Reports and Dashboards REST API"): tabular ones, run at once, 2,000 rows at most."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError, not_found
from fake_crm.salesforce.soql.paths import getter
from fake_crm.salesforce.soql.running import picked, planned
from fake_crm.salesforce.values import any_id
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.binding import Plan
    from fake_crm.salesforce.soql.paths import Found
    from fake_crm.salesforce.values import Row

MOST_ROWS = 2_000
_LISTED = 200


@dataclass(frozen=True)
class Definition:
    """What a report or list view shows: the columns of an object, and perhaps a condition."""

    kind: str
    columns: tuple[str, ...]
    where: str = ""

    def query(self) -> str:
        """It as SOQL."""
        condition = f" WHERE {self.where}" if self.where else ""
        return f"SELECT {', '.join(self.columns)} FROM {self.kind}{condition}"  # noqa: S608 - SOQL, and parsed at once


DEFAULT = Definition("Opportunity", ("Name", "Account.Name", "StageName", "Amount", "CloseDate", "OwnerId"))


def every_report(call: Call) -> Reply:
    """GET analytics/reports: those that were looked at lately, 200 at most."""
    rows = [row for row in call.org.table("Report").scan() if not row.get("IsDeleted")]
    return Reply.of([_entry(call, row) for row in rows[:_LISTED]])


def describe(call: Call) -> Reply:
    """GET analytics/reports/{id}/describe."""
    row, plan = _found(call)
    return Reply.of({"reportMetadata": _metadata(row, plan), "reportExtendedMetadata": _extended(plan)})


def run(call: Call) -> Reply:
    """GET or POST analytics/reports/{id}: without includeDetails only the totals."""
    call.usage.spend(1, "HourlySyncReportRuns")
    row, plan = _found(call)
    found = picked(call.org, plan, everything=False)
    details = (call.one("includeDetails") or "").lower() == "true"
    rows = [_cells(call.org, plan, each) for each in found.part(0, MOST_ROWS)] if details else []
    return Reply.of(
        {
            "attributes": {**_entry(call, row), "type": "Report"},
            "allData": len(found) <= MOST_ROWS,
            "factMap": {"T!T": {"aggregates": [{"label": str(len(found)), "value": len(found)}], "rows": rows}},
            "groupingsAcross": {"groupings": []},
            "groupingsDown": {"groupings": []},
            "hasDetailRows": details,
            "reportExtendedMetadata": _extended(plan),
            "reportMetadata": _metadata(row, plan),
        }
    )


def _found(call: Call) -> tuple[Row, Plan]:
    row = call.org.table("Report").get(any_id(call.path["id"]))
    if row is None or row.get("IsDeleted"):
        raise not_found()
    definition = call.org.definitions.get(str(row["Id"]), DEFAULT)
    try:
        return row, planned(call.org, definition.query())
    except ApiError as error:
        raise ApiError(400, "BAD_REQUEST", error.message) from None


def _entry(call: Call, row: Row) -> dict[str, Any]:
    own = f"{call.root}/analytics/reports/{row['Id']}"
    return {
        "id": row["Id"],
        "name": row["Name"],
        "url": own,
        "describeUrl": f"{own}/describe",
        "fieldsUrl": f"{own}/fields",
        "instancesUrl": f"{own}/instances",
    }


def _metadata(row: Row, plan: Plan) -> dict[str, Any]:
    return {
        "id": row["Id"],
        "name": row["Name"],
        "developerName": row.get("DeveloperName"),
        "reportFormat": "TABULAR",
        "reportType": {"label": plan.kind.label or plan.kind.name, "type": plan.kind.name},
        "detailColumns": [_column(found) for found in plan.columns],
        "aggregates": ["RowCount"],
        "groupingsDown": [],
        "groupingsAcross": [],
        "reportFilters": [],
        "reportBooleanFilter": None,
        "scope": "organization",
        "hasDetailRows": True,
        "hasRecordCount": True,
        "currency": None,
    }


def _extended(plan: Plan) -> dict[str, Any]:
    columns = {
        _column(found): {"dataType": found.field.type, "label": found.field.label or found.field.name}
        for found in plan.columns
    }
    return {
        "aggregateColumnInfo": {"RowCount": {"dataType": "int", "label": "Record Count"}},
        "detailColumnInfo": columns,
        "groupingColumnInfo": {},
    }


def _column(found: Found) -> str:
    """A report's own name of a column: not the field's."""
    return ".".join((found.kind.name.upper(), *(name.upper() for name in found.names[-1:])))


def _cells(org: Org, plan: Plan, row: Row) -> dict[str, Any]:
    return {"dataCells": [_cell(org, found, row) for found in plan.columns]}


def _cell(org: Org, found: Found, row: Row) -> dict[str, Any]:
    value = getter(org, found)(row)
    if value is None:
        return {"label": "-", "value": None}
    if found.field.type == "currency":
        amount = float(value)
        return {"label": f"${amount:,.2f}", "value": {"amount": amount, "currency": None}}
    if isinstance(value, Decimal):
        return {"label": f"{value:,}", "value": float(value)}
    return {"label": str(value), "value": value}
