"""Records of the common form, many at a time: whole, alive, with key and version; their rows and what is wrong in them.

Whatever else a record may be is left to the exact way (schema.py, encoder.py), which then finds what is wrong, if
anything is: here it is only said to be `odd`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from target_crmdb.mapping import DELETED_AT, TablePlan
from target_crmdb.validation.compiled import Message, Row, compile_records
from target_crmdb.validation.findings import FieldIssue

if TYPE_CHECKING:
    from target_crmdb.validation.normal_forms import NormalForms
    from target_crmdb.validation.rules.judging import RecordJudge


class Issue(NamedTuple):
    """What is wrong with which of some rows; `kind` is `field` or `record`."""

    number: int
    kind: str
    issue: FieldIssue


@dataclass(frozen=True)
class CommonRows:
    """Rows with their normal forms behind them; those that are `odd` mean nothing, and have no issues."""

    rows: Sequence[Row]
    odd: Collection[int]
    issues: Sequence[Issue]


class CommonForm:
    """Reads the records of one plan that are of the common form."""

    def __init__(
        self, schema: dict[str, Any], plan: TablePlan, normals: "NormalForms | None", judge: "RecordJudge | None"
    ) -> None:
        self._compiled = compile_records(schema, plan)
        self._normals = normals
        self._judge = judge
        places = {column.path: place for place, column in enumerate(plan.columns) if not column.retired}
        version = [plan.version_column] if plan.version_column else []
        self._needed = [places[column.path] for column in (*plan.key_columns, *version)]
        self._deleted = places.get((DELETED_AT,))

    def messages(self, lines: Sequence[bytes]) -> Sequence[Message]:
        """Read lines as RECORDs of this stream and of one version, up to the first that is none."""
        return self._compiled.messages(lines) if self._compiled is not None else ()

    def record(self, raw: msgspec.Raw) -> CommonRows | None:
        """Give the row of one record, or None if it is odd."""
        if self._compiled is None:
            return None
        try:
            record = self._compiled.record(raw)
        except (msgspec.MsgspecError, ValueError):
            return None
        found = self.rows([record])
        return None if found.odd else found

    def rows(self, records: Sequence[msgspec.Struct]) -> CommonRows:
        """Give the rows of records that were read here."""
        assert self._compiled is not None  # who else has read them?
        rows, odd = self._compiled.rows(records)
        for place in self._needed:
            values = [row[place] for row in rows]
            if None in values:
                odd.update(number for number, value in enumerate(values) if value is None)
        if self._deleted is not None:
            odd.update(number for number, row in enumerate(rows) if row[self._deleted] is not None)
        broken: list[tuple[int, FieldIssue]] = []
        unmet: list[tuple[int, FieldIssue]] = []
        if self._normals is not None:
            rows, broken = self._normals.of_rows(rows, odd)
        if self._judge is not None:
            unmet = self._judge.of_rows(rows, odd)
        issues = [Issue(number, "field", issue) for number, issue in broken if number not in odd]
        issues += [Issue(number, "record", issue) for number, issue in unmet if number not in odd]
        issues.sort(key=lambda one: one.number)
        return CommonRows(rows, odd, issues)
