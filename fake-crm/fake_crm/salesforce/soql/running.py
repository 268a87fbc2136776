"""Plan → rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.soql.binding import bind
from fake_crm.salesforce.soql.parser import parse
from fake_crm.salesforce.values import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.binding import Aggregate, Plan
    from fake_crm.salesforce.table import Picked
    from fake_crm.salesforce.values import Row


def planned(org: Org, text: str) -> Plan:
    """The plan of a query's text."""
    return bind(org, parse(text))


def picked(org: Org, plan: Plan, *, everything: bool, more: Callable[[Row], bool] | None = None) -> Picked:
    """The rows of a plan; `everything` has deleted and archived ones too, `more` is a condition beside its own."""
    wanted = plan.wanted

    def passes(row: Row) -> bool:
        if row.get("IsDeleted"):
            if not everything or org.is_emptied(plan.kind.name, key_of(row)):
                return False
        elif not everything and row.get("IsArchived"):
            return False
        return (wanted is None or wanted(row)) and (more is None or more(row))

    with org.lock:
        table = org.table(plan.kind.name)
        all_pass = wanted is None and more is None and table.live == len(table)
        found = table.pick(None if all_pass else passes)
    return found.ordered(plan.order).cut(plan.query.offset, plan.query.limit)


def aggregated(rows: Picked, plan: Plan) -> list[dict[str, Any]]:
    """The rows of aggregates, one for each group."""
    grouped = [each for each in plan.aggregates if not each.function]
    groups: dict[tuple[Any, ...], list[Row]] = {} if plan.query.group else {(): []}
    for row in rows:
        groups.setdefault(tuple(each.value(row) for each in grouped), []).append(row)
    return [_group(plan.aggregates, members) for members in groups.values()]


def _group(aggregates: tuple[Aggregate, ...], members: list[Row]) -> dict[str, Any]:
    return {each.label: _worked_out(each, members) for each in aggregates}


def _worked_out(each: Aggregate, members: list[Row]) -> Any:
    values = [value for value in map(each.value, members) if value is not None]
    match each.function:
        case "":
            return each.value(members[0])
        case "count":
            return len(values)
        case "count_distinct":
            return len(set(values))
    if not values:
        return None
    totals: dict[str, Callable[[list[Any]], Any]] = {
        "min": min,
        "max": max,
        "sum": sum,
        "avg": lambda held: sum(held) / len(held),
    }
    return totals[each.function](values)
