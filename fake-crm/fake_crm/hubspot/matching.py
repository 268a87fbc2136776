"""Which records a search matches, in its order; ranges of `hs_object_id` are cut out of a remembered result."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from fake_crm.clock import millis_of, real_instant
from fake_crm.hubspot.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.hubspot.query import Filter, Query
    from fake_crm.hubspot.records import Record
    from fake_crm.hubspot.world import Store

    Test = Callable[[Record], bool]

ID = "hs_object_id"
_RANGES = frozenset({"GT", "GTE", "LT", "LTE"})
_REMEMBERED = 16
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda a, b: bool(a == b),
    "NEQ": lambda a, b: bool(a != b),
    "LT": lambda a, b: bool(a < b),
    "LTE": lambda a, b: bool(a <= b),
    "GT": lambda a, b: bool(a > b),
    "GTE": lambda a, b: bool(a >= b),
}


class Matcher:
    """Answers queries over the search indexes. `as_text` tells whether ids compare as text."""

    def __init__(self, as_text: Callable[[], bool]) -> None:
        self._as_text = as_text
        self._known: OrderedDict[Any, list[Record]] = OrderedDict()

    def match(self, store: Store, query: Query) -> list[Record]:
        """All matching records in the query's order."""
        if len(query.groups) == 1 and query.sort == ID and not query.descending:
            ranges = [each for each in query.groups[0] if each.name == ID and each.operator in _RANGES]
            rest = tuple(each for each in query.groups[0] if each not in ranges)
            return self._cut(self._remembered(store, query, (rest,)), store, ranges)
        return self._remembered(store, query, query.groups)

    def _remembered(self, store: Store, query: Query, groups: tuple[tuple[Filter, ...], ...]) -> list[Record]:
        key = (
            store.kind.name, store.index.version, groups, query.sort, query.descending, query.text, self._as_text(),
            len(store.properties),
        )  # fmt: skip
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._worked_out(store, query, groups)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _worked_out(self, store: Store, query: Query, groups: tuple[tuple[Filter, ...], ...]) -> list[Record]:
        rows = store.index.ordered()
        groups = tuple(group for group in groups if group)
        if groups:
            tests = [[self._test(store, each) for each in group] for group in groups]
            rows = [row for row in rows if any(all(test(row) for test in group) for group in tests)]
        if query.text:
            rows = [row for row in rows if _has_words(store, row, query.text)]
        return self._sorted(store, rows, query)

    def _sorted(self, store: Store, rows: list[Record], query: Query) -> list[Record]:
        if query.sort == ID and not self._as_text():
            return rows[::-1] if query.descending else rows
        if query.sort is None:  # the oldest first; vendor page "Search the CRM"
            return sorted(rows, key=lambda row: (row.created, row.number))
        convert, read = self._reading(store, query.sort)
        lacking = [row for row in rows if _tried(convert, read(row)) is None]
        having = [row for row in rows if _tried(convert, read(row)) is not None]
        return sorted(having, key=lambda row: _tried(convert, read(row)), reverse=query.descending) + lacking

    def _cut(self, rows: list[Record], store: Store, ranges: list[Filter]) -> list[Record]:
        convert, read = self._reading(store, ID)
        low, high = 0, len(rows)
        for each in ranges:
            bound = _needed(convert, each, each.values[0])
            side = bisect_right if each.operator in {"GT", "LTE"} else bisect_left
            at = side(rows, bound, key=lambda row: convert(read(row)))
            low, high = (max(low, at), high) if each.operator in {"GT", "GTE"} else (low, min(high, at))
        return rows[low:high]

    def _test(self, store: Store, each: Filter) -> Test:  # noqa: PLR0911 - one return for each kind of operator
        if store.kind.name == "contacts" and each.name == "hs_lastmodifieddate":
            return lambda _: False  # contacts own the property, but a search by it finds nothing (observed)
        convert, read = self._reading(store, each.name)
        match each.operator:
            case "HAS_PROPERTY":
                return lambda row: bool(read(row))
            case "NOT_HAS_PROPERTY":
                return lambda row: not read(row)
            case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN":
                word, wanted = each.values[0].strip("*").lower(), each.operator == "CONTAINS_TOKEN"
                return lambda row: (word in str(read(row) or "").lower()) == wanted
            case "IN" | "NOT_IN":
                values = {_needed(convert, each, value) for value in each.values}
                listed = each.operator == "IN"
                return lambda row: (_tried(convert, read(row)) in values) == listed
            case "BETWEEN":
                low, high = (_needed(convert, each, value) for value in each.values)
                return _present(convert, read, lambda value: low <= value <= high)
            case operator:
                bound, compare = _needed(convert, each, each.values[0]), _COMPARE[operator]
                return _present(convert, read, lambda value: compare(value, bound))

    def _reading(self, store: Store, name: str) -> tuple[Callable[[Any], Any], Callable[[Record], Any]]:
        """How a property's value compares, and where it is read."""
        kind = store.kind
        if name == kind.modified:
            return _millis, lambda row: row.updated
        if name == kind.created:
            return _millis, lambda row: row.created
        if name == ID:
            # unverified which of the two it is; the property is declared a number
            return (str if self._as_text() else _id_number), lambda row: row.number
        definition = store.properties.get(name)
        if definition is None:
            # unverified wording
            raise invalid(f"There was a problem with the request: property '{name}' doesn't exist for {kind.name}")
        converts: dict[str, Callable[[Any], Any]] = {
            "number": Decimal, "date": _millis, "datetime": _millis, "enumeration": str,
        }  # fmt: skip
        return converts.get(definition.type, _folded), lambda row: row.value(name, kind)


def _present(convert: Callable[[Any], Any], read: Callable[[Record], Any], test: Callable[[Any], bool]) -> Test:
    def check(row: Record) -> bool:
        value = _tried(convert, read(row))
        return value is not None and test(value)

    return check


def _tried(convert: Callable[[Any], Any], value: Any) -> Any:
    """A stored value as it compares; None where it is absent or bad, as old data may be."""
    if value is None or value == "":
        return None
    try:
        return convert(value)
    except (ValueError, InvalidOperation):
        return None


def _needed(convert: Callable[[Any], Any], each: Filter, value: str) -> Any:
    try:
        return convert(value)
    except (ValueError, InvalidOperation):
        raise invalid(f"{each.name}: {value!r} does not fit the property's type") from None


def _millis(value: Any) -> int:
    """An instant: epoch milliseconds (a number or text) or ISO text; a date is its midnight in UTC."""
    if isinstance(value, int):
        return value
    if value.lstrip("-").isdecimal():
        return int(value)
    return millis_of(real_instant(value if "T" in value else f"{value}T00:00:00Z"))


def _id_number(value: Any) -> int:
    return int(value)


def _folded(value: Any) -> str:
    return str(value).lower()


def _has_words(store: Store, row: Record, text: str) -> bool:
    words = " ".join(str(row.value(name, store.kind) or "") for name in store.kind.searched).lower()
    return all(word in words for word in text.lower().split())
