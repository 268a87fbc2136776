"""The normal forms of a row's mapped fields, and what becomes of a value that has none."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from target_crmdb.mapping import ColumnType, NormalColumn, TablePlan
from target_crmdb.mapping.paths import MISSING, Step, inside
from target_crmdb.validation.fields import FieldError, field_type
from target_crmdb.validation.fields.errors import LONGEST_REMEMBERED, REMEMBERED
from target_crmdb.validation.findings import FieldIssue, Finding, NotNormalError
from target_crmdb.validation.values import CopyValue

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_Normal = Callable[[Any], CopyValue]
Row = tuple[CopyValue, ...]
_TEXTS = frozenset({ColumnType.TEXT, ColumnType.DATE, ColumnType.TIMESTAMPTZ})


class _Verdict(NamedTuple):
    """What becomes of a value: its form, or the issue that it is, or that its row is refused."""

    form: CopyValue
    issue: FieldIssue | None = None
    is_refused: bool = False


@dataclass(frozen=True)
class _Slot:
    """One normal column, ready for use."""

    place: int
    """Where the source's value stands in a row; -1 if only the record has it."""
    normal: _Normal
    steps: tuple[Step, ...]
    column: NormalColumn
    is_own: Callable[[Any], object] | None = None
    of_texts: Callable[[list[Any]], Sequence[str | None]] | None = None
    """Where the row has a text: shorter ways, as FieldType has them."""
    known: dict[str, _Verdict] = field(default_factory=dict)

    def verdict(self, value: Any) -> _Verdict:
        """Judge a value; what is odd in one record (`n/a`) is so in many, so the first few thousands are remembered."""
        # as keys, 1 and true are one, and so are a number and a text of its digits; a long text is said by nobody twice
        is_text = type(value) is str and len(value) <= LONGEST_REMEMBERED
        found = self.known.get(value) if is_text else None
        if found is None:
            found = _verdict(self, value)
            if is_text and len(self.known) < REMEMBERED:
                self.known[value] = found
        return found


class NormalForms:
    """Gives the values of a plan's normal columns, in their order."""

    def __init__(self, plan: TablePlan) -> None:
        self._spread = plan.spread
        self._slots = [_slot(plan, one) for one in plan.normals]

    def __bool__(self) -> bool:
        return bool(self._slots)

    def of_rows(self, rows: Sequence[Row], odd: set[int]) -> tuple[list[Row], list[tuple[int, FieldIssue]]]:
        """Give rows that have a column for every field with their forms behind them, and what is wrong with which.

        The numbers of those that are refused are added to the `odd` ones, which mean nothing.
        """
        issues: list[tuple[int, FieldIssue]] = []
        columns = [self._column(slot, rows, odd, issues) for slot in self._slots]
        return [(*row, *forms) for row, forms in zip(rows, zip(*columns, strict=True), strict=True)], issues

    def _column(
        self, slot: _Slot, rows: Sequence[Row], odd: set[int], issues: list[tuple[int, FieldIssue]]
    ) -> list[CopyValue]:
        place, is_own = slot.place, slot.is_own
        forms = [row[place] for row in rows]
        if is_own is not None:
            doubtful = [(n, value) for n, value in enumerate(forms) if value is not None and not is_own(value)]
        else:
            doubtful = [(n, value) for n, value in enumerate(forms) if value is not None]
            if slot.of_texts is not None:
                sure = slot.of_texts([value for _, value in doubtful])
                for (number, _), known in zip(doubtful, sure, strict=True):
                    forms[number] = known
                doubtful = [one for one, known in zip(doubtful, sure, strict=True) if known is None]
        for number, value in doubtful:
            forms[number], issue, is_refused = slot.verdict(value)
            if issue is not None:
                issues.append((number, issue))
            elif is_refused:
                odd.add(number)
        return forms

    def of_record(
        self, record: Mapping[str, Any], row: Sequence[CopyValue], absent: Collection[int]
    ) -> tuple[list[CopyValue], list[int], list[FieldIssue]]:
        """Give the forms of any record, the numbers of those whose field it lacks, and what is wrong with it.

        Raises NotNormalError.
        """
        issues: list[FieldIssue] = []
        values: list[CopyValue] = []
        lacking: list[int] = []
        for number, slot in enumerate(self._slots):
            value = MISSING if slot.place in absent else self._raw(slot, record, row)
            if value is MISSING:
                lacking.append(number)
            try:
                values.append(None if value is MISSING or value is None else slot.normal(value))
            except FieldError as error:
                values.append(None)
                if (found := _judged(slot, error, value)) is not None:
                    issues.append(found)
        return values, lacking, issues

    def _raw(self, slot: _Slot, record: Mapping[str, Any], row: Sequence[CopyValue]) -> Any:
        if slot.place >= 0:
            return row[slot.place]
        path = slot.column.wanted.path
        return path.of(record, depth=2 if path.names[0] == self._spread else 1)


def _verdict(slot: _Slot, value: Any) -> _Verdict:
    try:
        return _Verdict(slot.normal(value))
    except FieldError as error:
        try:
            return _Verdict(None, _judged(slot, error, value))
        except NotNormalError:
            return _Verdict(None, is_refused=True)


def _judged(slot: _Slot, error: FieldError, value: Any) -> FieldIssue | None:
    """Refuse the row, give the issue, or say nothing, as the field's level is; the form is null."""
    wanted = slot.column.wanted
    if wanted.level == "strict":
        raise NotNormalError(Finding(wanted.path.text, error.rule, error.reason))
    if wanted.level == "off":
        return None
    return FieldIssue(wanted.entity, wanted.field, wanted.path.text, error.rule, error.reason, value)


def _slot(plan: TablePlan, one: NormalColumn) -> _Slot:
    wanted = one.wanted
    kind = field_type(wanted.type, **dict(wanted.options))
    normal: _Normal = kind.normal
    if one.source is None:
        return _Slot(-1, normal, one.inside, one)
    is_text = plan.columns[one.source].type in _TEXTS
    if plan.columns[one.source].type == ColumnType.JSONB:
        return _Slot(one.source, _of_json(normal, one.inside), one.inside, one)
    if one.inside:
        return _Slot(one.source, _nothing, one.inside, one)
    return _Slot(one.source, normal, one.inside, one, *((kind.is_own, kind.of_texts) if is_text else ()))


def _of_json(normal: _Normal, steps: tuple[Step, ...]) -> _Normal:
    """Read a value out of the JSON text that its column gets."""

    def of(text: Any) -> CopyValue:
        value = inside(_decode(text), steps)
        return None if value is None else normal(value)

    return of


def _nothing(_: Any) -> CopyValue:
    """A text or a number has nothing inside."""
    return None
