"""The normal forms of a row's mapped fields, and what becomes of a value that has none."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from target_crmdb.mapping import ColumnType, NormalColumn, TablePlan
from target_crmdb.mapping.paths import MISSING, Step, inside
from target_crmdb.validation.fields import FieldError, field_type
from target_crmdb.validation.findings import FieldIssue, Finding, NotNormalError
from target_crmdb.validation.values import CopyValue

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_Normal = Callable[[Any], CopyValue]
Row = tuple[CopyValue, ...]


@dataclass(frozen=True)
class _Slot:
    """One normal column, ready for use."""

    place: int
    """Where the source's value stands in a row; -1 if only the record has it."""
    normal: _Normal
    steps: tuple[Step, ...]
    column: NormalColumn


class NormalForms:
    """Gives the values of a plan's normal columns, in their order; `issues` are those of the last row."""

    def __init__(self, plan: TablePlan) -> None:
        self.issues: list[FieldIssue] = []
        self._spread = plan.spread
        self._slots = [_slot(plan, one) for one in plan.normals]
        self._fast = [(slot.place, slot.normal, slot) for slot in self._slots]

    def __bool__(self) -> bool:
        return bool(self._slots)

    def whole(self, row: Row) -> Row:
        """Give a row that has a column for every field with its forms behind it. Raises NotNormalError."""
        if self.issues:
            self.issues = []
        forms: list[CopyValue] = []
        for place, normal, slot in self._fast:
            form = value = row[place]
            if value is not None:
                try:
                    form = normal(value)
                except FieldError as error:
                    form = None
                    self._judge(slot, error, value)
            forms.append(form)
        return (*row, *forms)

    def of_record(
        self, record: Mapping[str, Any], row: Sequence[CopyValue], absent: Collection[int]
    ) -> tuple[list[CopyValue], list[int]]:
        """Give the forms of any record, and the numbers of those whose field it lacks. Raises NotNormalError."""
        self.issues = []
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
                self._judge(slot, error, value)
        return values, lacking

    def _raw(self, slot: _Slot, record: Mapping[str, Any], row: Sequence[CopyValue]) -> Any:
        if slot.place >= 0:
            return row[slot.place]
        path = slot.column.wanted.path
        return path.of(record, depth=2 if path.names[0] == self._spread else 1)

    def _judge(self, slot: _Slot, error: FieldError, value: Any) -> None:
        """Refuse the row, note the issue, or say nothing, as the field's level is; the form is null."""
        wanted = slot.column.wanted
        if wanted.level == "strict":
            raise NotNormalError(Finding(wanted.path.text, error.rule, error.reason))
        if wanted.level == "lenient":
            self.issues.append(
                FieldIssue(wanted.entity, wanted.field, wanted.path.text, error.rule, error.reason, value)
            )


def _slot(plan: TablePlan, one: NormalColumn) -> _Slot:
    wanted = one.wanted
    normal: _Normal = field_type(wanted.type, **dict(wanted.options)).normal
    if one.source is None:
        return _Slot(-1, normal, one.inside, one)
    if plan.columns[one.source].type == ColumnType.JSONB:
        return _Slot(one.source, _of_json(normal, one.inside), one.inside, one)
    return _Slot(one.source, normal if not one.inside else _nothing, one.inside, one)


def _of_json(normal: _Normal, steps: tuple[Step, ...]) -> _Normal:
    """Read a value out of the JSON text that its column gets."""

    def of(text: Any) -> CopyValue:
        value = inside(_decode(text), steps)
        return None if value is None else normal(value)

    return of


def _nothing(_: Any) -> CopyValue:
    """A text or a number has nothing inside."""
    return None
