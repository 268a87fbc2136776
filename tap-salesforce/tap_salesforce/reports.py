"""Reports and list views as streams: read whole, typed by what Salesforce says of their columns."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from typing_extensions import override

from crmdb_core.exceptions import ApiError
from crmdb_core.stream import CrmStream, Page
from tap_salesforce.schema import INSTANT, INTEGER, NUMBER, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_salesforce.tap import TapSalesforce

__all__ = ["ListViewStream", "ReportStream", "analytic_names", "analytic_streams"]

Json: TypeAlias = dict[str, Any]

ROW = "_row"
"""The place of a row, which is its key: rows of reports have none of their own."""
_MOST_ROWS = 2000
"""The most details of a report that the API gives, whatever is asked for (vendor page "Reports and Dashboards")."""

_OF_TYPE: Mapping[str, Json] = MappingProxyType(
    {
        "boolean": {"type": ["boolean", "null"]},
        "int": INTEGER,
        "double": NUMBER,
        "currency": NUMBER,
        "percent": NUMBER,
        "date": {"type": ["string", "null"], "format": "date"},
        "datetime": INSTANT,
    }
)


def analytic_names(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The streams of the settings: name by name, the ids that they are read by."""
    views = (each.split(":") for each in config["list_views"])
    return {
        **{f"report_{each}": (each,) for each in config["reports"]},
        **{f"list_view_{name}_{view}": (name, view) for name, view in views},
    }


def analytic_streams(tap: TapSalesforce) -> Iterator[CrmStream]:
    """A stream for each; one that cannot be described is told of, and the run goes on."""
    for name, ids in tap.analytic.items():
        if tap.input_catalog is not None and not tap.is_selected(name):
            continue
        kind = ReportStream if len(ids) == 1 else ListViewStream
        try:
            yield kind(tap, name, ids)
        except ApiError as error:
            if error.stops_run:
                raise
            tap.leave_out(name, error)


class AnalyticStream(CrmStream):
    """Rows of something that people have made in Salesforce; they come whole, or not at all."""

    tap: TapSalesforce

    def __init__(self, tap: TapSalesforce, name: str, ids: Sequence[str]) -> None:
        self.ids = tuple(ids)
        self._session = tap.session
        self._paths = tap.paths
        self.columns = self.describe_columns()
        super().__init__(tap, schema=self._declared(), name=name)
        self.primary_keys = (ROW,)

    @abstractmethod
    def describe_columns(self) -> dict[str, Json]:
        """The columns: name and JSON schema, with the label as title."""

    def _declared(self) -> Json:
        return {
            "type": "object",
            "properties": {ROW: {"type": ["integer"]}, **self.columns},
            "required": [ROW],
        }

    @override
    def records_of(self, page: Page) -> Iterable[Json]:
        first = page.point["row"] if page.point else 0
        names = list(self.columns)
        for place, row in enumerate(page.rows, first):
            yield {ROW: place, **{name: _typed(row.get(name), self.columns[name]) for name in names}}

    @override
    def save_progress(self, point: Mapping[str, Any]) -> None:
        """Nothing: rows have no order that would still hold in another run."""


class ReportStream(AnalyticStream):
    """The detail rows of a report, with what they are grouped by."""

    @override
    def describe_columns(self) -> dict[str, Json]:
        described = self._session.get_json(self._paths.report_describe(self.ids[0]))
        meta, extended = described["reportMetadata"], described["reportExtendedMetadata"]
        grouped = [each["name"] for side in ("groupingsDown", "groupingsAcross") for each in meta.get(side) or ()]
        of_details = extended.get("detailColumnInfo") or {}
        of_groups = extended.get("groupingColumnInfo") or {}
        return {
            **{name: _declared(of_groups.get(name) or {}) for name in grouped},
            **{name: _declared(of_details.get(name) or {}) for name in meta.get("detailColumns") or ()},
        }

    @override
    def fetch(self) -> Iterator[Page]:
        answer = self._session.get_json(self._paths.report(self.ids[0]), {"includeDetails": "true"})
        rows = list(_details(answer))
        if not answer.get("allData", True):
            self.logger.warning(
                "%s: Salesforce gives %d rows of a report and no more; filter the report, or read its objects",
                self.name,
                len(rows),
            )
        self.expect(len(rows))
        yield Page(rows)


def _details(answer: Json) -> Iterator[Json]:
    """The rows of all cells, each with the groups that its cell stands for."""
    meta = answer["reportMetadata"]
    down = dict(_groups(answer.get("groupingsDown"), [each["name"] for each in meta.get("groupingsDown") or ()]))
    across = dict(_groups(answer.get("groupingsAcross"), [each["name"] for each in meta.get("groupingsAcross") or ()]))
    for key, cell in answer["factMap"].items():
        left, _, right = key.partition("!")
        for row in cell.get("rows") or ():
            values = (each.get("value") for each in row["dataCells"])
            details = dict(zip(meta["detailColumns"], values, strict=True))
            yield {**down.get(left, {}), **across.get(right, {}), **details}


def _groups(side: Json | None, names: Sequence[str]) -> Iterator[tuple[str, Json]]:
    """The values of each group by its key, such as `0_1` for the second group within the first."""
    waiting = [(each, dict[str, Any]()) for each in (side or {}).get("groupings") or ()]
    while waiting:
        group, above = waiting.pop()
        depth = str(group["key"]).count("_")
        values = {**above, names[depth]: group.get("value")}
        yield str(group["key"]), values
        waiting.extend((each, values) for each in group.get("groupings") or ())


class ListViewStream(AnalyticStream):
    """The rows that a list view shows."""

    @override
    def describe_columns(self) -> dict[str, Json]:
        described = self._session.get_json(self._paths.list_view_describe(*self.ids))
        return {each["fieldNameOrPath"]: _declared({**each, "dataType": "text"}) for each in described["columns"]}

    @override
    def fetch(self) -> Iterator[Page]:
        path = self._paths.list_view_results(*self.ids)
        first, done = 0, False
        while not done:
            answer = self._session.get_json(path, {"limit": _MOST_ROWS, "offset": first})
            rows = [
                {each["fieldNameOrPath"]: each["value"] for each in record["columns"]} for record in answer["records"]
            ]
            yield Page(rows, {"row": first})
            first += len(rows)
            done = bool(answer["done"]) or not rows


def _declared(column: Json) -> Json:
    """The schema of a column; values of a type that is not known here stay as text."""
    schema = dict(_OF_TYPE.get(str(column.get("dataType", "")).lower(), TEXT))
    return {**schema, "title": column["label"]} if column.get("label") else schema


def _typed(value: Any, schema: Json) -> Any:
    """A value of the declared kind; a currency comes as an object with its amount."""
    if isinstance(value, dict):
        value = value.get("amount")
    if value is None or value == "-":
        return None
    if "string" in schema["type"]:
        return value if isinstance(value, str) else _text(value)
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if "boolean" in schema["type"]:
        return value if isinstance(value, bool) else None
    return value if is_number else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
