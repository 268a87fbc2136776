"""The rows that were left out, as a stream of their own: nothing of a file is lost without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.stream import CrmStream
from tap_csv_github.lineage import BLOB, COMMIT, COMMIT_TIME, DELETED, LINE, MEMBER, PATH, REF, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record

    from crmdb_core.tap import CrmTap
    from tap_csv_github.lineage import Lineage
    from tap_csv_github.shaping import Reject

__all__ = ["REJECTS", "RejectsStream"]

REJECTS = "csv_rejects"
STREAM, NUMBER, REASON, RAW = "_sdc_stream", "_sdc_reject_number", "reason", "raw"
_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_KEY: dict[str, Any] = {"type": "string"}
_INSTANT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}


class RejectsStream(CrmStream):
    """Rows that a policy refused, with their reason and what stood there; written while their files are read."""

    primary_keys: Sequence[str] = (STREAM, REPOSITORY, REF, PATH, NUMBER)
    removes_vanished: ClassVar[bool] = False

    def __init__(self, tap: CrmTap) -> None:
        properties = {
            **dict.fromkeys((STREAM, REPOSITORY, REF, PATH), _KEY),
            NUMBER: {"type": "integer"},
            **dict.fromkeys((MEMBER, COMMIT, BLOB, REASON, RAW), _TEXT),
            COMMIT_TIME: _INSTANT,
            LINE: {"type": ["integer", "null"]},
            DELETED: _INSTANT,
        }
        super().__init__(tap, schema={"type": "object", "properties": properties}, name=REJECTS)
        self._told = False

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        return ()  # each has gone out with its file

    @override
    def check(self) -> None:
        """Nothing is asked."""

    @override
    def forecast(self) -> None:
        """None: only reading the files tells."""

    def write(self, stream: str, lineage: Lineage, member: str | None, first: int, rejects: Sequence[Reject]) -> None:
        """Let refused rows go out now, before a STATE says that their file is read."""
        for number, reject in enumerate(rejects, first):
            told = {LINE: reject.line, REASON: reject.reason, RAW: reject.raw}
            self._write({STREAM: stream, **lineage.of_rows(member), NUMBER: number, **told})

    def write_gone(self, stream: str, lineage: Lineage, numbers: range) -> None:
        """Say that these are none any more: their file has changed, or is gone."""
        for number in numbers:
            place = {REPOSITORY: lineage.repository, REF: lineage.ref, PATH: lineage.path}
            self._write({STREAM: stream, **place, NUMBER: number, DELETED: lineage.commit_time})

    def _write(self, record: dict[str, Any]) -> None:
        if not self.selected:
            return
        if not self._told:
            self._write_schema_message()
            self._told = True
        self._write_record_message(record)
        self.emitted += 1
