"""What a search asks for, checked by HubSpot's rules (vendor page "Search the CRM")."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import invalid

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call

MOST_A_PAGE = 200
MOST_GROUPS = 5
MOST_FILTERS_A_GROUP = 6
MOST_FILTERS = 18
LONGEST_QUERY = 3000
ONE_VALUE = frozenset({"LT", "LTE", "GT", "GTE", "EQ", "NEQ", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"})
LISTS = frozenset({"IN", "NOT_IN"})
PRESENCE = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
OPERATORS = ONE_VALUE | LISTS | PRESENCE | {"BETWEEN"}
_FIELDS = ("filterGroups", "filters", "sorts", "properties", "limit", "after", "query")


@dataclass(frozen=True)
class Filter:
    """One condition. `values` holds the value, the two bounds of BETWEEN, or the list of IN."""

    name: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A whole search: groups are joined by OR, filters within one by AND."""

    groups: tuple[tuple[Filter, ...], ...]
    sort: str | None
    descending: bool
    properties: tuple[str, ...]
    limit: int
    after: int
    text: str


def parse(call: Call) -> Query:
    """The query of a request; 400 with a reason where it breaks a rule. The wordings are unverified."""
    body = call.body(*_FIELDS)
    groups = _groups(body)
    if any(not each.name for group in groups for each in group):
        raise invalid("a filter has no propertyName")
    sort, descending = _sort(body.get("sorts") or [])
    text = str(body.get("query") or "")
    if len(text) > LONGEST_QUERY:
        raise invalid(f"query is longer than {LONGEST_QUERY} characters")
    after = _whole(body.get("after") or 0, "after")
    if after >= call.quirks.search_cap:
        raise invalid(f"The requested page is beyond the {call.quirks.search_cap} results that a search gives")
    properties = tuple(map(str, body.get("properties") or ()))
    return Query(groups, sort, descending, properties, _limit(body.get("limit")), after, text)


def _limit(given: Any) -> int:
    limit = 10 if given is None else _whole(given, "limit")
    if not 1 <= limit <= MOST_A_PAGE:
        raise invalid(f"Invalid limit {limit}: it must be a number from 1 to {MOST_A_PAGE}")
    return limit


def _whole(given: Any, what: str) -> int:
    text = str(given)
    if isinstance(given, bool) or not (text.isascii() and text.isdecimal()):
        raise invalid(f"{what} must be an integer, not {given!r}")
    return int(text)


def _groups(body: dict[str, Any]) -> tuple[tuple[Filter, ...], ...]:
    raw = [group.get("filters") or [] for group in body.get("filterGroups") or []]
    if body.get("filters"):
        raw.append(body["filters"])  # filters at the top are accepted as a group of their own
    if len(raw) > MOST_GROUPS:
        raise invalid(f"Too many filterGroups: {len(raw)} (at most {MOST_GROUPS})")
    if any(len(group) > MOST_FILTERS_A_GROUP for group in raw) or sum(map(len, raw)) > MOST_FILTERS:
        raise invalid(f"Too many filters: at most {MOST_FILTERS_A_GROUP} in a group, {MOST_FILTERS} in all")
    return tuple(tuple(map(_filter, group)) for group in raw)


def _filter(raw: dict[str, Any]) -> Filter:
    name, operator = str(raw.get("propertyName") or ""), str(raw.get("operator") or "")
    if operator not in OPERATORS:
        raise invalid(f"Invalid operator {operator!r} for {name}")
    if operator in PRESENCE:
        return Filter(name, operator)
    if operator in LISTS:
        given = raw.get("values")
    else:
        given = [raw.get("value"), raw.get("highValue")] if operator == "BETWEEN" else [raw.get("value")]
    if not given or any(value is None for value in given):
        raise invalid(f"{operator} on {name} lacks its value")
    return Filter(name, operator, tuple(map(str, given)))


def _sort(sorts: list[Any]) -> tuple[str | None, bool]:
    if len(sorts) > 1:
        raise invalid("Only one sort is allowed")
    if not sorts:
        return None, False
    given = sorts[0]
    if isinstance(given, str) and given.startswith("{"):  # the vendor's Python client sends objects as text
        given = json.loads(given)
    if isinstance(given, str):
        return given.removeprefix("-"), given.startswith("-")
    direction = given.get("direction", "ASCENDING")
    if direction not in {"ASCENDING", "DESCENDING"}:
        raise invalid(f"Invalid sort direction {direction!r}")
    return str(given.get("propertyName")), direction == "DESCENDING"
