"""The rules of one table, asked of every row on its way in."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from target_crmdb.exceptions import CrmdbError
from target_crmdb.mapping.source import Level
from target_crmdb.validation.findings import FieldIssue, Finding, NotNormalError
from target_crmdb.validation.rules.reading import FieldReader
from target_crmdb.validation.rules.rule import RecordRule
from target_crmdb.validation.values import CopyValue

Row = Sequence[CopyValue]
_Pick = Callable[[Row], Sequence[CopyValue]]


@dataclass(frozen=True)
class LevelledRule:
    """A rule, and what becomes of a record that breaks it."""

    rule: RecordRule
    level: Level


@dataclass(frozen=True)
class _Asked:
    """A rule that a table can answer: the places of a row that it looks at, and those of texts with which it is met."""

    rule: RecordRule
    level: Level
    places: frozenset[int]
    met_by: tuple[int, ...]

    def doubtful(self, rows: Sequence[Row], odd: Collection[int]) -> Iterable[int]:
        """Give the numbers of the rows that must be asked."""
        numbers: Sequence[int] = range(len(rows))
        if odd:
            numbers = [number for number in numbers if number not in odd]
        for place in self.met_by:
            numbers = [number for number in numbers if not rows[number][place]]
        return numbers


class RecordJudge:
    """Asks the rules that a table's rows can answer."""

    def __init__(self, rules: Iterable[LevelledRule], readers: dict[str, FieldReader]) -> None:
        answerable = [one for one in rules if one.level != "off" and _is_answerable(one.rule, readers)]
        names = dict.fromkeys(name for one in answerable for name in one.rule.names)
        known = {name: readers[name] for name in names if name in readers}
        self._plain = [name for name, one in known.items() if one.is_plain]
        self._pick = _picker([known[name].places[0] for name in self._plain])
        self._fields = [(name, one.read) for name, one in known.items() if not one.is_plain]
        self._lacking = {name: None for name in names if name not in readers}
        self._rules = [
            _Asked(
                one.rule,
                one.level,
                frozenset(place for name in one.rule.names if name in known for place in known[name].places),
                _met_by(one.rule, known),
            )
            for one in answerable
        ]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def of_row(self, row: Row, absent: Collection[int] = ()) -> list[FieldIssue]:
        """Give what is wrong with a row. Raises NotNormalError for a strict rule.

        A rule that looks at a field that the record lacks is not asked: what is stored there may be right.
        """
        asked = [one for one in self._rules if not absent or one.places.isdisjoint(absent)]
        return self._ask(row, asked)

    def of_rows(self, rows: Sequence[Row], odd: set[int]) -> list[tuple[int, FieldIssue]]:
        """Give what is wrong with which of some rows that lack nothing.

        The numbers of those that are refused are added to the `odd` ones, which are not asked.
        """
        doubts: dict[int, list[_Asked]] = {}
        for one in self._rules:
            for number in one.doubtful(rows, odd):
                doubts.setdefault(number, []).append(one)
        issues: list[tuple[int, FieldIssue]] = []
        for number, asked in doubts.items():
            try:
                issues += [(number, issue) for issue in self._ask(rows[number], asked)]
            except NotNormalError:
                odd.add(number)
        return issues

    def _ask(self, row: Row, asked: Iterable[_Asked]) -> list[FieldIssue]:
        try:
            record: dict[str, Any] = dict(zip(self._plain, self._pick(row), strict=True))
            for name, read in self._fields:
                record[name] = read(row)
        except (ValueError, ArithmeticError):  # a value that only the server can read, such as a year above 9999
            return []
        record |= self._lacking
        found = []
        for one in asked:
            try:
                reason = one.rule.check(record)
            except Exception as error:
                raise _failed(one.rule, error) from error
            if reason is None:
                continue
            if one.level == "strict":
                raise NotNormalError(Finding("", one.rule.name, reason))
            found.append(FieldIssue(one.rule.entity, "", "", one.rule.name, reason, None))
        return found


def _met_by(rule: RecordRule, known: Mapping[str, FieldReader]) -> tuple[int, ...]:
    """Give the places of the texts that meet a rule, of those that are read as they are."""
    return tuple(known[name].places[0] for name in rule.met_by if name in known and known[name].is_plain)


def _picker(places: list[int]) -> _Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: [row[place] for place in places]


def _failed(rule: RecordRule, error: Exception) -> CrmdbError:
    """Say which rule fails, and how; the text of its error may quote a value."""
    return CrmdbError(
        f"The record rule {rule.name} failed ({type(error).__name__}); repair it, or switch it off in the setting rules"
    )


def _is_answerable(rule: RecordRule, readers: dict[str, FieldReader]) -> bool:
    has_any = not rule.any_of or any(name in readers for name in rule.any_of)
    return has_any and all(name in readers for name in rule.fields)
