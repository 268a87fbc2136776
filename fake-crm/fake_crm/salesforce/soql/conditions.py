"""WHERE → a function that tells whether a row is wanted."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError
from fake_crm.salesforce.fields import IDS, TEXTS
from fake_crm.salesforce.soql.literals import Span, value_of
from fake_crm.salesforce.soql.paths import find, getter
from fake_crm.salesforce.soql.refusals import invalid_field
from fake_crm.salesforce.soql.tree import Compare, Condition, Joined, Negated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.tree import Query
    from fake_crm.salesforce.values import Row

    Wanted = Callable[[Row], bool]
    Inner = Callable[[Query], set[Any]]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Conditions:
    """Checks and compiles the conditions of one query; `inner` gives the values that a subquery selects."""

    org: Org
    kind: SObject
    query: Query
    now: datetime
    inner: Inner

    def wanted(self, condition: Condition) -> Wanted:
        """The condition as a function of a row."""
        if isinstance(condition, Negated):
            part = self.wanted(condition.part)
            return lambda row: not part(row)
        if isinstance(condition, Joined):
            return _joined(condition.word, [self.wanted(part) for part in condition.parts])
        return self._compared(condition)

    def _compared(self, condition: Compare) -> Wanted:
        found = find(self.org, self.kind, condition.path, self.query)
        field = found.field
        if not field.filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise invalid_field(message, self.query.text, condition.path.at)
        self._check_operator(condition, field)
        value = getter(self.org, found)
        if condition.query is not None:
            among = self.inner(condition.query)
            return lambda row: (value(row) in among) == (condition.operator == "in")
        values = [value_of(field, each, self.now, self.query.text) for each in condition.values]
        if condition.operator in {"includes", "excludes"}:
            return _includes(value, values, condition.operator)
        return _test(field, value, condition.operator, values)

    def _check_operator(self, condition: Compare, field: Field) -> None:
        word = condition.operator
        wrong = (
            (word == "like" and field.type not in TEXTS)
            or (word in {"includes", "excludes"} and field.type != "multipicklist")
            or (word in {"<", "<=", ">", ">="} and field.type in {"boolean", "multipicklist"})
        )
        if wrong:
            kind = "id" if field.type in IDS else field.type
            message = f"invalid operator on {kind} field"
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", message)


def _joined(word: str, parts: list[Wanted]) -> Wanted:
    if word == "and" and len(parts) == 2:  # noqa: PLR2004 - the usual case, faster
        first, second = parts
        return lambda row: first(row) and second(row)
    together = all if word == "and" else any
    return lambda row: together(part(row) for part in parts)


def _test(field: Field, value: Callable[[Row], Any], word: str, values: list[Any]) -> Wanted:
    if any(isinstance(each, Span) for each in values):
        return _in_span(value, word, values[0])
    if word == "like":
        pattern = _like(values[0])
        return lambda row: isinstance(held := value(row), str) and pattern.fullmatch(held) is not None
    # texts are compared without case, but for ids and fields that say otherwise
    if field.type in TEXTS and not field.case_sensitive:
        plain, value = value, lambda row: held.casefold() if isinstance(held := plain(row), str) else held
        values = [each.casefold() if isinstance(each, str) else each for each in values]
    return _against(value, word, values)


def _against(value: Callable[[Row], Any], word: str, values: list[Any]) -> Wanted:
    among = set(values)
    wanted = values[0]
    match word:
        case "=":
            return lambda row: value(row) == wanted
        case "!=":
            return lambda row: value(row) != wanted
        case "in":
            return lambda row: value(row) in among
        case "not in":
            return lambda row: value(row) not in among
    compare = _ORDERS[word]
    return lambda row: wanted is not None and (held := value(row)) is not None and compare(held, wanted)


def _in_span(value: Callable[[Row], Any], word: str, span: Span) -> Wanted:
    tests: dict[str, Callable[[str], bool]] = {
        "=": lambda held: span.start <= held < span.end,
        "!=": lambda held: not span.start <= held < span.end,
        "<": lambda held: held < span.start,
        "<=": lambda held: held < span.end,
        ">": lambda held: held >= span.end,
        ">=": lambda held: held >= span.start,
    }
    test = tests.get(word)
    if test is None:
        raise ApiError(400, "MALFORMED_QUERY", f"a relative date cannot be used with {word}")
    return lambda row: (held := value(row)) is not None and test(held)


def _like(pattern: str | None) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", pattern or "", flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.IGNORECASE | re.DOTALL)


def _includes(value: Callable[[Row], Any], values: list[Any], word: str) -> Wanted:
    groups = [set(str(each).split(";")) for each in values]

    def wanted(row: Row) -> bool:
        held = set(str(value(row) or "").split(";"))
        return any(group <= held for group in groups) == (word == "includes")

    return wanted


def required(condition: Condition | None) -> list[Compare]:
    """The comparisons that every row must pass: those joined by AND only."""
    if isinstance(condition, Compare):
        return [condition]
    if isinstance(condition, Joined) and condition.word == "and":
        return [each for part in condition.parts for each in required(part)]
    return []
