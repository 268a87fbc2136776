"""Tree → plan: every name is found in the schema, every rule of the object is kept, or the query is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError, unsupported_type
from fake_crm.salesforce.soql.conditions import Conditions, required
from fake_crm.salesforce.soql.paths import Found, find, getter
from fake_crm.salesforce.soql.refusals import invalid_field, malformed, no_relation, place
from fake_crm.salesforce.soql.tree import Call, Compare, Path, Subquery, TypeOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.tree import Item, Order, Query
    from fake_crm.salesforce.values import Row

_MOST_WITH_FIELDS = 200  # rows of a query with FIELDS(ALL) (vendor page "FIELDS()")
_AGGREGATES = frozenset({"count", "count_distinct", "min", "max", "sum", "avg"})


@dataclass(frozen=True)
class Children:
    """The children of a row: by which field they point to it, and which are wanted."""

    name: str
    field: Field
    plan: Plan


@dataclass(frozen=True)
class Aggregate:
    """One aggregate, or a field of GROUP BY where `function` is empty."""

    function: str
    label: str
    value: Callable[[Row], Any]
    field: Field | None


@dataclass(frozen=True)
class Plan:
    """A query that can be run."""

    query: Query
    kind: SObject
    columns: tuple[Found, ...]
    children: tuple[Children, ...]
    aggregates: tuple[Aggregate, ...]
    wanted: Callable[[Row], bool] | None
    order: tuple[tuple[Callable[[Row], Any], bool], ...]


def bind(org: Org, query: Query) -> Plan:
    """The plan of a query."""
    kind = org.schema.get(query.source)
    if kind is None:
        raise unsupported_type(query.source, place(query.text, query.source_at))
    if not kind.queryable:
        message = f"entity type {kind.name} does not support query"
        raise ApiError(400, "INVALID_TYPE_FOR_OPERATION", message)
    return _bound(org, kind, query)


def _bound(org: Org, kind: SObject, query: Query) -> Plan:
    plan = Plan(query, kind, (), (), (), None, ())
    if not query.counts_only:
        plan = _selected(org, plan)
    _check_filters(kind, query)
    if query.where is not None:
        conditions = Conditions(org, kind, query, org.clock.now(), lambda inner: _values(org, inner))
        plan = replace(plan, wanted=conditions.wanted(query.where))
    order = tuple(key for each in query.order for key in _key(org, kind, query, each))
    return replace(plan, order=order)


def _selected(org: Org, plan: Plan) -> Plan:
    columns: list[Found] = []
    children: list[Children] = []
    aggregates: list[Aggregate] = []
    query = plan.query
    for item in query.items:
        if isinstance(item, Subquery):
            children.append(_child(org, plan.kind, query, item))
        elif isinstance(item, Call) and item.name in _AGGREGATES:
            aggregates.append(_aggregate(org, plan.kind, query, item, len(aggregates)))
        else:
            columns.extend(_columns(org, plan.kind, query, item))
    _check_unique(columns, query)
    if aggregates or query.group:
        _check_grouped(columns, query)
        grouped = [Aggregate("", found.names[-1], getter(org, found), found.field) for found in columns]
        return replace(plan, aggregates=(*grouped, *aggregates))
    return replace(plan, columns=tuple(columns), children=tuple(children))


def _columns(org: Org, kind: SObject, query: Query, item: Item) -> list[Found]:
    if isinstance(item, Path):
        return [find(org, kind, item, query)]
    if isinstance(item, TypeOf):
        raise malformed("TYPEOF is not supported here", query.text, item.at)
    assert isinstance(item, Call)
    if item.name == "fields":
        return _all_fields(kind, query, item)
    if item.name in {"tolabel", "format", "convertcurrency"} and item.path is not None:
        return [find(org, kind, item.path, query)]
    raise malformed(f"Unknown function: {item.name}", query.text, item.at)


def _all_fields(kind: SObject, query: Query, item: Call) -> list[Found]:
    which = item.path.text.lower() if item.path else ""
    if which not in {"all", "standard", "custom"}:
        raise malformed("FIELDS must have ALL, STANDARD or CUSTOM", query.text, item.at)
    if which != "standard" and (query.limit is None or query.limit > _MOST_WITH_FIELDS):
        message = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_WITH_FIELDS}"
        raise malformed(message, query.text, item.at)
    return [
        Found(kind, field, (), (field.name,))
        for field in kind.fields.values()
        if which == "all" or field.custom == (which == "custom")
    ]


def _check_unique(columns: list[Found], query: Query) -> None:
    seen: set[tuple[str, ...]] = set()
    for found in columns:
        if found.names in seen:
            raise malformed(f"duplicate field selected: {'.'.join(found.names)}", query.text, 0)
        seen.add(found.names)


def _check_grouped(columns: list[Found], query: Query) -> None:
    grouped = {path.text.lower() for path in query.group}
    for found in columns:
        if ".".join(found.names).lower() not in grouped:
            raise malformed(f"Field must be grouped or aggregated: {found.field.name}", query.text, 0)


def _aggregate(org: Org, kind: SObject, query: Query, item: Call, number: int) -> Aggregate:
    label = item.alias or f"expr{number}"
    if item.path is None:
        return Aggregate("count", label, lambda row: row["Id"], None)
    found = find(org, kind, item.path, query)
    numeric = {"double", "currency", "percent", "int"}
    if not found.field.sortable or (item.name in {"sum", "avg"} and found.field.type not in numeric):
        message = f"field {found.field.name} does not support aggregate operator {item.name.upper()}"
        raise malformed(message, query.text, item.at)
    return Aggregate(item.name, label, getter(org, found), found.field)


def _child(org: Org, kind: SObject, query: Query, item: Subquery) -> Children:
    found = org.schema.child(kind.name, item.query.source)
    if found is None:
        raise no_relation(item.query.source, query.text, item.query.source_at)
    child, field = found
    return Children(item.query.source, field, _bound(org, child, item.query))


def _key(org: Org, kind: SObject, query: Query, by: Order) -> tuple[tuple[Callable[[Row], Any], bool], ...]:
    """The keys by which a field sorts: first whether it is empty, then its value."""
    found = find(org, kind, by.path, query)
    if not found.field.sortable:
        raise malformed(f"field '{found.field.name}' can not be sorted in a query call", query.text, by.path.at)
    value = getter(org, found)
    empty = {"int": 0, "long": 0, "double": 0, "currency": 0, "percent": 0, "boolean": False}.get(found.field.type, "")

    def held(row: Row) -> Any:
        it = value(row)
        if it is None:
            return empty
        return it.casefold() if isinstance(it, str) and found.field.type not in {"id", "reference"} else it

    return (lambda row: (value(row) is None) == by.nulls_last, False), (held, by.descending)


def _check_filters(kind: SObject, query: Query) -> None:
    compared = required(query.where)
    if kind.big:
        _check_index(kind, query, compared)
    if not kind.filters:
        return
    fits = [
        each
        for each in compared
        if each.operator in {"=", "in"} and each.path.names[-1].lower() in {name.lower() for name in kind.filters}
    ]
    if fits:
        return
    if kind.reified:
        raise malformed(f"{kind.name}: a filter on a reified column is required [{','.join(kind.filters)}]")
    raise malformed(
        f"Implementation restriction: {kind.name} requires a filter by a single Id on "
        f"{' or '.join(kind.filters)} using the equals operator or multiple Id's using the IN operator."
    )


def _check_index(kind: SObject, query: Query, compared: list[Compare]) -> None:
    """Big objects: index fields in order, = on all but the last (vendor page "SOQL with big objects")."""
    names = [each.path.names[-1].lower() for each in compared]
    index = [name.lower() for name in kind.index]
    everything_joined = query.where is None or bool(compared)
    exact = all(each.operator == "=" for each in compared[:-1])
    last = not compared or compared[-1].operator in {"=", "<", "<=", ">", ">=", "in"}
    if not (everything_joined and exact and last and names == index[: len(names)]):
        at = compared[0].path.at if compared else 0
        raise invalid_field("Filters may not reference only fields of the index, in its order", query.text, at)
    if query.order or query.group or query.counts_only:
        raise malformed(f"{kind.name}: big objects support neither ORDER BY nor aggregates", query.text, 0)


def _values(org: Org, inner: Query) -> set[Any]:
    plan = bind(org, inner)
    value = getter(org, plan.columns[0])
    rows = org.table(plan.kind.name).scan()
    return {value(row) for row in rows if not row.get("IsDeleted") and (plan.wanted is None or plan.wanted(row))}
