"""The rules of one table, asked of every row on its way in."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from target_crmdb.exceptions import CrmdbError
from target_crmdb.mapping.source import Level
from target_crmdb.validation.findings import FieldIssue, Finding, NotNormalError
from target_crmdb.validation.rules.reading import FieldReader
from target_crmdb.validation.rules.rule import RecordRule
from target_crmdb.validation.values import CopyValue


@dataclass(frozen=True)
class LevelledRule:
    """A rule, and what becomes of a record that breaks it."""

    rule: RecordRule
    level: Level


class RecordJudge:
    """Asks the rules that a table's rows can answer."""

    def __init__(self, rules: Iterable[LevelledRule], readers: dict[str, FieldReader]) -> None:
        self._rules = [one for one in rules if one.level != "off" and _is_answerable(one.rule, readers)]
        names = dict.fromkeys(name for one in self._rules for name in one.rule.names)
        known = {name: readers[name] for name in names if name in readers}
        self._plain = [name for name, one in known.items() if one.is_plain]
        self._pick = _picker([known[name].places[0] for name in self._plain])
        self._fields = [(name, one.read) for name, one in known.items() if not one.is_plain]
        self._lacking = {name: None for name in names if name not in readers}
        self._places = {
            one.rule.name: {place for name in one.rule.names if name in readers for place in readers[name].places}
            for one in self._rules
        }
        self._checks = [(one.rule.check, one) for one in self._rules]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def of_row(self, row: Sequence[CopyValue], absent: Collection[int] = ()) -> list[FieldIssue]:
        """Give what is wrong with a row. Raises NotNormalError for a strict rule.

        A rule that looks at a field that the record lacks is not asked: what is stored there may be right.
        """
        try:
            record: dict[str, Any] = dict(zip(self._plain, self._pick(row), strict=True))
            for name, read in self._fields:
                record[name] = read(row)
        except (ValueError, ArithmeticError):  # a value that only the server can read, such as a year above 9999
            return []
        if self._lacking:
            record |= self._lacking
        found = []
        for check, one in self._checks:
            try:
                reason = check(record)
            except Exception as error:
                raise _failed(one.rule, error) from error
            if reason is None or (absent and not self._places[one.rule.name].isdisjoint(absent)):
                continue
            if one.level == "strict":
                raise NotNormalError(Finding("", one.rule.name, reason))
            found.append(FieldIssue(one.rule.entity, "", "", one.rule.name, reason, None))
        return found


def _picker(places: list[int]) -> Callable[[Sequence[CopyValue]], Sequence[CopyValue]]:
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
