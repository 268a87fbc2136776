"""What a run finds out and begins for all its streams together, before it reads the first of them.

Up to where each can be read and what was deleted of it, 25 objects a call; Bulk jobs of all that are large, so that
Salesforce works on them side by side; and the first pages of those that are small, five a call.
"""

from __future__ import annotations

import logging
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError, CrmdbError
from tap_salesforce.deletes import deletions
from tap_salesforce.planner import BULK, choose
from tap_salesforce.rest import opening_url
from tap_salesforce.watermark import watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_salesforce.composite import Answer, Composite
    from tap_salesforce.streams import ObjectStream
    from tap_salesforce.tap import TapSalesforce

    Json = dict[str, Any]

__all__ = ["Openings", "Outset"]

logger = logging.getLogger(__name__)

_OPENINGS_A_CALL = 5
_CALLS_AHEAD = 12
_SMALL = 500
"""So many rows come with others' in one call; the first page of more is a call of its own."""
_VALUES_AN_OPENING = 20_000
_FEWEST, _MOST = 200, 2_000
"""Rows of a first page of nobody knows how many, by how wide they are: several wait at a time."""
_JOBS_AT_ONCE = 100


class Outset:
    """The beginning of one run."""

    def __init__(self, tap: TapSalesforce, streams: Callable[[], Sequence[ObjectStream]]) -> None:
        self._tap = tap
        self._selected = streams
        self._begun = False
        self._openings = Openings(tap.composite, [])

    @cached_property
    def streams(self) -> Sequence[ObjectStream]:
        """The objects that the run reads."""
        return self._selected()

    @cached_property
    def watermarks(self) -> Mapping[str, datetime]:
        """Up to where everything is visible, by object; without one the settings decide."""
        objects = [each.sobject for each in self.streams if each.replication_key]
        return watermarks(self._tap.composite, self._tap.paths, objects, self._tap.session.server_now())

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """About how many records the objects have; {} where nobody tells or nobody needs to know."""
        needs = self._tap.config["api_type"] != BULK and self._tap.max_records is None
        return self._tap.limits.record_counts() if needs else {}

    def begin(self) -> None:
        """Do it once; called in the main thread."""
        if self._begun:
            return
        self._begun = True
        for _ in in_order(lambda name: getattr(self, name), ("watermarks", "counts"), workers=2):
            pass  # asked for side by side, and kept
        streams = [each for each in self.streams if not each.window.is_empty]
        self._ask_for_deletions(streams)
        for each in streams:
            each.reader.api = self._api_of(each)
        self._begin_jobs([each for each in streams if each.is_untouched and each.reader.api == BULK])
        small = [each for each in streams if each.is_untouched and each.reader.api != BULK and self._is_small(each)]
        self._openings = Openings(self._tap.composite, [(each.name, *self._opening_of(each)) for each in small])

    def opening(self, name: str) -> Json | None:
        """The first page of a stream's rows, if it was asked for with others' and is all; None otherwise."""
        page = self._openings.take(name)
        # pages asked for with others' are short ones, and those behind them would be too
        return page if page is not None and page["done"] else None

    def _api_of(self, stream: ObjectStream) -> Any:
        rows = self.counts.get(stream.name) if stream.reads_all else None
        jobs_left = None
        if choose(self._tap.config["api_type"], rows, is_cut=self._tap.max_records is not None) == BULK:
            jobs_left = self._jobs_left
        return choose(self._tap.config["api_type"], rows, jobs_left=jobs_left, is_cut=self._tap.max_records is not None)

    @cached_property
    def _jobs_left(self) -> int | None:
        """How many Bulk jobs the org still allows, if known."""
        left = self._tap.limits.bulk_jobs_left
        if left == 0:
            logger.warning("the org's Bulk jobs, or megabytes of results, of 24 hours are used up; REST reads all")
        return left

    def _is_small(self, stream: ObjectStream) -> bool:
        """Whether its first page is worth asking for with others'; of changes nobody knows how many they are."""
        if self._tap.max_records is not None:
            return False
        return not stream.reads_all or self.counts.get(stream.name, _SMALL + 1) <= _SMALL

    def _opening_of(self, stream: ObjectStream) -> tuple[str, Mapping[str, str]]:
        query, part = stream.reader.subject.query, stream.part
        url = opening_url(self._tap.paths, query, query.text(part, in_order=True))
        if stream.reads_all and stream.name in self.counts:
            return url, {}
        size = max(_FEWEST, min(_MOST, _VALUES_AN_OPENING // len(query.columns)))
        return url, {"Sforce-Query-Options": f"batchSize={size}"}

    def _ask_for_deletions(self, streams: Sequence[ObjectStream]) -> None:
        since = {each.name: each.window.low for each in streams if each.looks_for_deletions and each.window.low}
        now = self._tap.session.server_now()
        found = deletions(self._tap.composite, self._tap.paths, since, now)
        for each in streams:
            each.take_deletions(found.get(each.name))

    def _begin_jobs(self, streams: Sequence[ObjectStream]) -> None:
        def begun(stream: ObjectStream) -> ObjectStream:
            try:
                stream.begin_job()
            except CrmdbError as error:
                if error.stops_run:
                    raise
                # the stream meets it again in its turn, and has a way out or fails alone
            return stream

        few = streams[:_JOBS_AT_ONCE]
        try:
            for each in in_order(begun, few, workers=int(self._tap.config["concurrency"])):
                each.keep_job()
        finally:
            for each in few:  # those too that were begun behind one that stops the run
                each.keep_job()


class Openings:
    """First pages of several streams, five in a call, a few calls ahead of what is asked for."""

    def __init__(self, composite: Composite, asked: Sequence[tuple[str, str, Mapping[str, str]]]) -> None:
        self._composite = composite
        self._waiting = {name for name, _, _ in asked}
        self._found: Json = {}
        self._lock = threading.Lock()
        packs = [asked[start : start + _OPENINGS_A_CALL] for start in range(0, len(asked), _OPENINGS_A_CALL)]
        self._packs = self._in_packs(packs)

    def take(self, name: str) -> Json | None:
        """The body for a stream, once."""
        with self._lock:
            while name in self._waiting:
                try:
                    for each, answer in next(self._packs):
                        self._waiting.discard(each)
                        if answer.ok:
                            self._found[each] = answer.body
                except StopIteration:
                    self._waiting.clear()
                except ApiError as error:
                    self._waiting.clear()  # each stream asks for itself, and meets the reason
                    if error.stops_run:
                        raise
            found: Json | None = self._found.pop(name, None)
            return found

    def _in_packs(
        self, packs: Sequence[Sequence[tuple[str, str, Mapping[str, str]]]]
    ) -> Iterator[list[tuple[str, Answer]]]:
        def ask(pack: Sequence[tuple[str, str, Mapping[str, str]]]) -> list[tuple[str, Answer]]:
            answers = self._composite.get([url for _, url, _ in pack], [headers for _, _, headers in pack])
            return [(name, answer) for (name, _, _), answer in zip(pack, answers, strict=True)]

        return in_order(ask, packs, workers=_CALLS_AHEAD, ahead=_CALLS_AHEAD)
