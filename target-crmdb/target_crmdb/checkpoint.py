"""What the next commit holds beside rows, when it is due, and the STATE that it makes valid."""

import logging
import sys
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from target_crmdb.exceptions import CrmdbError, ProtocolError, TooManyRejectsError, UnconfirmedDeletesError
from target_crmdb.input import AT_ONCE
from target_crmdb.notes import split_state
from target_crmdb.rejects import Reject
from target_crmdb.run import Batch, LoadRun
from target_crmdb.settings import Config
from target_crmdb.sink import StreamSink

if TYPE_CHECKING:
    from target_crmdb.history import RunNote

_logger = logging.getLogger(__name__)


class Checkpoints:
    """Gathers one batch after another from the message loop and commits them on the database's thread."""

    def __init__(self, config: Config) -> None:
        self._rows_at_most = int(config.get("batch_size_rows") or 10_000)
        self._bytes_at_most = int(config.get("max_batch_bytes") or 2**23)
        self._bytes_now = self._bytes_at_most // 4  # the first batch is small, so that Postgres begins early
        self._interval = float(config.get("state_interval", 5))
        self._max_rejects = config.get("max_rejects")
        self._max_protocol_errors = int(config.get("max_protocol_errors", 0))
        self._strays: list[Reject] = []
        self._notes: Mapping[str, RunNote] = {}
        self._state: str | None = None
        self._printed: str | None = None
        self._bytes = 0
        self._due_at = time.monotonic() + self._interval
        self.protocol_errors: list[ProtocolError] = []
        self.tap_status: str | None = None

    # What comes

    def fitting(self, lines: Sequence[bytes], begin: int, waiting: int) -> int:
        """Tell how many lines, from `begin` on, may be taken before a commit is due; at least one."""
        count = max(1, min(len(lines) - begin, self._rows_at_most - waiting))
        room = self._bytes_now - self._bytes
        if room > AT_ONCE:  # so much is there for lines that came together, as nearly always
            return count
        return max(1, min(count, bisect_left([*accumulate(map(len, lines[begin : begin + count]))], room) + 1))

    def note_records(self, size: int, waiting: int) -> bool:
        """Count the bytes of records' lines; tell whether a commit is due, with so many rows waiting in a stream."""
        self._bytes += size
        return self.is_due(waiting)

    def note_state(self, value: Mapping[str, Any]) -> None:
        """Take the newest STATE; what the tap says of its run is taken out of it."""
        self._state, self.tap_status, self._notes = split_state(value)

    def add_stray(self, reject: Reject, error: ProtocolError) -> None:
        """Keep a line that is no message, or came too early."""
        self._strays.append(reject)
        self.protocol_errors.append(error)

    # When

    @property
    def due_in(self) -> float:
        """Seconds until the next commit is due by age."""
        return max(0.0, self._due_at - time.monotonic())

    def is_due(self, waiting: int = 0) -> bool:
        """Tell whether a batch is full by this stream's rows, by bytes, or by age."""
        return waiting >= self._rows_at_most or self._bytes >= self._bytes_now or time.monotonic() >= self._due_at

    def withholds_state(self) -> bool:
        """Tell whether the input broke the protocol too often for STATE to advance."""
        return len(self.protocol_errors) > self._max_protocol_errors

    # The commit

    def seal(self, sinks: Sequence[StreamSink], *, final: bool = False, torn: bool = False) -> Batch | None:
        """Take everything of all streams that came so far; None if that is nothing.

        At the `final` one rows may be swept, unless the input was faulty or `torn`, ending within a line.
        """
        state = None if self.withholds_state() else self._state
        self._due_at = time.monotonic() + self._interval
        taken = [sink for sink in sinks if final or sink.waiting]
        if not (final or taken or self._strays or state != self._printed):
            return None
        batch = Batch(
            [(sink, sink.seal()) for sink in taken],
            tuple(self._strays),
            state,
            self._notes,
            sweep=final and not torn and not self.protocol_errors,
            whole=self.tap_status not in {"running", "failed"},
            bytes=self._bytes,
        )
        self._strays.clear()
        self._bytes = 0
        self._bytes_now = self._bytes_at_most
        return batch

    def commit(self, run: LoadRun, batch: Batch) -> None:
        """Make a batch durable, then print its STATE; raise TooManyRejectsError instead if that is so."""
        begun = time.monotonic()
        run.commit(batch)
        log_counts("Committed so far" if run.is_real else "Judged so far", run, time.monotonic() - begun)
        if run.too_many_rejects():
            where = "`crmdb rejects list`" if run.is_real else "the report of the dry run"
            raise TooManyRejectsError(
                f"{run.total.rejected} rows were rejected, max_rejects allows {self._max_rejects}; see {where}"
            )
        if run.refused_sweeps:
            raise UnconfirmedDeletesError("; ".join(run.refused_sweeps))
        if run.is_real and batch.state is not None and batch.state != self._printed:
            run.failpoints.hit("before_state")
            self._print(batch.state)
            run.failpoints.hit("after_state")

    def _print(self, state: str) -> None:
        try:
            sys.stdout.write(f"{state}\n")
            sys.stdout.flush()
        except OSError as error:
            raise CrmdbError("STATE could not be written, its reader is gone; the data is committed") from error
        self._printed = state


def log_counts(title: str, run: LoadRun, seconds: float) -> None:
    """Say how many records had which outcome."""
    counts = ", ".join(f"{number} {name}" for name, number in run.total.as_dict().items())
    _logger.info("%s: %s (%.1f s)", title, counts, seconds)
