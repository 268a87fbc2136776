"""From a validated record to one row for COPY, and what the merge must know about it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_crmdb.mapping import DELETED_AT, Path, TablePlan, dotted
from target_crmdb.validation.findings import ConversionError, FieldIssue, Finding, NotNormalError
from target_crmdb.validation.values import Converter, CopyValue, converter_of, to_json

_MISSING = object()

_Slot = tuple[int, str, Converter]


class EncodingError(ValueError):
    """A record's value does not fit its column; `finding` names field and rule."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """The values of one record in the plan's column order.

    `absent` lists the places of columns whose keys the record lacks; `extra` is the JSON text of fields
    without a column; `plain` rows may be told apart by key and version alone. `normals` stand behind the columns;
    `issues` are those of values that have none.
    """

    values: tuple[CopyValue, ...]
    absent: tuple[int, ...]
    extra: str | None
    plain: bool
    normals: tuple[CopyValue, ...] = ()
    issues: tuple[FieldIssue, ...] = ()


if TYPE_CHECKING:
    from target_crmdb.validation.normal_forms import NormalForms


class RowEncoder:
    """Writes the records of one table plan; `discards` counts the records that lost a field's value to its policy."""

    def __init__(self, plan: TablePlan) -> None:
        self.normals = _forms_of(plan)
        self.discards: Counter[str] = Counter()
        self._discarded: list[str] = []
        self._plan = plan
        self._width = len(plan.columns)
        self._spread = plan.spread
        self._top = self._slots(plan, depth=1)
        self._nested = self._slots(plan, depth=2)
        live = [column.path for column in plan.columns if not column.retired]
        self._top_names = {path[0] for path in live if len(path) == 1} | ({plan.spread} if plan.spread else set())
        self._nested_names = {path[1] for path in live if len(path) > 1}
        paths = [column.path for column in plan.columns]
        version = plan.version_column
        self._version_at = paths.index(version.path) if version else None
        self._deleted_at = paths.index((DELETED_AT,)) if (DELETED_AT,) in paths else None

    def encode(self, record: Mapping[str, Any]) -> EncodedRow:
        """Write one record as a row, or raise EncodingError."""
        values: list[CopyValue] = [None] * self._width
        absent: list[int] = []
        extra: dict[str, Any] = {}
        self._discarded.clear()
        self._fill(values, absent, self._top, record, ())
        if self._spread:
            self._fill_spread(values, absent, extra, record)
        if not self._top_names.issuperset(record):
            extra |= self._rest(record, self._top_names, ())
        text = self._extra_text(extra) if extra else None
        normals, issues = self._normal_forms(self.normals, values, absent, record) if self.normals else ((), ())
        self.discards.update(self._discarded)
        return EncodedRow(tuple(values), tuple(absent), text, self._is_plain(values, absent, text), normals, issues)

    def _normal_forms(
        self, forms_of: "NormalForms", values: list[CopyValue], absent: list[int], record: Mapping[str, Any]
    ) -> tuple[tuple[CopyValue, ...], tuple[FieldIssue, ...]]:
        """Give the values of the normal columns, which stand behind the others; those of absent fields are absent."""
        try:
            forms, lacking, issues = forms_of.of_record(record, values, absent)
        except NotNormalError as error:
            raise EncodingError(error.finding) from error
        absent.extend(self._width + number for number in lacking)
        return tuple(forms), tuple(issues)

    @staticmethod
    def _slots(plan: TablePlan, *, depth: int) -> list[_Slot]:
        return [
            (place, column.path[-1], converter_of(column))
            for place, column in enumerate(plan.columns)
            if len(column.path) == depth
        ]

    def _fill(
        self, values: list[CopyValue], absent: list[int], slots: list[_Slot], source: Mapping[str, Any], parent: Path
    ) -> None:
        for place, name, convert in slots:
            value = source.get(name, _MISSING)
            if value is _MISSING:
                absent.append(place)
                continue
            try:
                values[place] = convert(value)
            except ConversionError as error:
                self._misfit(place, dotted((*parent, name)), error)
                absent.append(place)

    def _misfit(self, place: int, field: str, error: ConversionError) -> None:
        """Leave a value out, if it does not fit because the SCHEMA has changed and the policy says so."""
        misfit = self._plan.columns[place].misfit
        if misfit == "reject":
            raise EncodingError(Finding(field, "schema_change", f"{error}, and its column keeps its type")) from error
        if misfit is None:
            raise EncodingError(Finding(field, error.rule, str(error))) from error
        self._discarded.append(field)

    def _fill_spread(
        self, values: list[CopyValue], absent: list[int], extra: dict[str, Any], record: Mapping[str, Any]
    ) -> None:
        """Fill the nested fields' columns; a null parent nulls them all, an absent one leaves them alone."""
        spread = self._spread or ""
        parent = record.get(spread, _MISSING)
        if parent is _MISSING:
            absent.extend(place for place, _, _ in self._nested)
            return
        if parent is None:
            return
        if not isinstance(parent, dict):
            raise EncodingError(Finding(spread, "not_object", "is not an object"))
        self._fill(values, absent, self._nested, parent, (spread,))
        if not self._nested_names.issuperset(parent):
            extra |= self._rest(parent, self._nested_names, (spread,))

    def _rest(self, source: Mapping[str, Any], named: set[str], parent: Path) -> dict[str, Any]:
        """Collect the fields that have no column, by their dotted path, as far as the policy keeps them."""
        plan = self._plan
        rest = {(*parent, name): value for name, value in source.items() if name not in named}
        kept = {dotted(path): rest[path] for path in rest if plan.undeclared == "keep" or path in plan.in_extra}
        lost = [dotted(path) for path, value in rest.items() if value is not None and dotted(path) not in kept]
        if lost and plan.undeclared == "reject":
            raise EncodingError(Finding(lost[0], "schema_change", "has no column, and no new one may be added"))
        self._discarded += lost
        return kept

    @staticmethod
    def _extra_text(extra: dict[str, Any]) -> str:
        try:
            return to_json(extra)
        except ConversionError as error:
            raise EncodingError(Finding("_extra", error.rule, str(error))) from error

    def _is_plain(self, values: list[CopyValue], absent: list[int], extra: str | None) -> bool:
        tombstone = self._deleted_at is not None and values[self._deleted_at] is not None
        unversioned = self._version_at is not None and values[self._version_at] is None
        return not (absent or extra or tombstone or unversioned)


def _forms_of(plan: TablePlan) -> "NormalForms | None":
    """Import what makes normal forms for the tables that have any."""
    if not plan.normals:
        return None
    from target_crmdb.validation.normal_forms import NormalForms  # noqa: PLC0415 - most tables have none

    return NormalForms(plan)
