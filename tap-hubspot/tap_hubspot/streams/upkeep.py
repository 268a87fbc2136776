"""What an object's stream does beside reading its window, when it is due: see `refresh.py` and `id_sweep.py`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.forecast import Forecast
from crmdb_core.schedule import is_due
from crmdb_core.window import WindowKind, format_instant, parse_instant
from tap_hubspot.calculated import calculated_names
from tap_hubspot.casting import Casts
from tap_hubspot.client import HubSpotStream
from tap_hubspot.forecast import count
from tap_hubspot.id_sweep import IdSweep
from tap_hubspot.object_types import definitions_cost
from tap_hubspot.ready import ReadyPage
from tap_hubspot.refresh import POINT, CalculatedRefresh
from tap_hubspot.stretches import lists_of, reader_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crmdb_core.stream import Page
    from crmdb_core.window import ReadWindow
    from tap_hubspot.objects import CrmObject

    Record = dict[str, Any]

_REFRESHED_AT, _SWEPT_AT = "calculated_at", "ids_swept_at"


@dataclass(frozen=True)
class Plan:
    """What a run does beside its window, and what STATE may call done afterwards."""

    refreshes: bool = False
    sweeps: bool = False
    done: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any], window: ReadWindow, state: Mapping[str, Any], *, is_resumed: bool) -> Plan:
        """By the settings and what STATE says; a whole read does both by itself, one with a `since` neither.

        A whole read that two runs made is no sweep: a target that counts rows by run cannot tell what is gone.
        """
        wanted = dict(_wanted(config))
        if config.get("max_records") is not None:
            return cls()
        if window.kind is WindowKind.FULL:
            return cls(done=tuple(name for name in wanted if name == _REFRESHED_AT or not is_resumed))
        if window.kind is not WindowKind.BOOKMARK:
            return cls()
        due = [name for name, hours in wanted.items() if is_due(state.get(name), hours, window.high)]
        return cls(refreshes=_REFRESHED_AT in due, sweeps=_SWEPT_AT in due, done=tuple(due))


def _wanted(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What is switched on, and every how many hours.

    The ids are not swept where they would make rows of records that were never sent (`start_date`), or where the target
    is not told to remove any.
    """
    if hours := int(config["refresh_calculated_every"]):
        yield _REFRESHED_AT, hours
    tells = config.get("emit_activate_version_messages") and config.get("start_date") is None
    if tells and (hours := int(config["sweep_ids_every"])):
        yield _SWEPT_AT, hours


class Upkept(HubSpotStream):
    """Stands before an object's stream among the bases, and goes on where its `fetch` ends."""

    object: CrmObject
    _plan: Plan | None = None

    @override
    def forecast(self) -> Forecast | None:
        forecast, plan = super().forecast(), self.plan
        if forecast is None or not (plan.refreshes or plan.sweeps):
            return forecast
        records = count(self.tap.session, self.paths.search(self.object.path)) or 0
        calls = Counter(forecast.calls)
        if plan.refreshes:
            calls.update({"default": definitions_cost(self.tap, self.object)})
            calls.update(lists_of(self.tap, records))
        if plan.sweeps:
            calls.update({"default": 1})  # the recycle bin
            calls.update(lists_of(self.tap, records))
        more = records * (plan.refreshes + plan.sweeps)
        return Forecast(None if forecast.records is None else forecast.records + more, calls)

    @override
    def fetch(self) -> Iterator[Page]:
        point = self.resume_point
        in_refresh = point is not None and POINT in point
        if not in_refresh:
            yield from super().fetch()
        if self.plan.refreshes and (casts := self._calculated()).names:
            yield from self._refresh(casts).pages(point if in_refresh else None)
        if self.plan.sweeps:
            yield from IdSweep(reader_of(self.tap, self.object)).pages()

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        return iter(page.rows if isinstance(page, ReadyPage) else super().records_of(page))

    @property
    def plan(self) -> Plan:
        """What this run does beside its window."""
        window = self.window  # which makes the plan
        if self._plan is None:
            is_resumed = self.resume_point is not None
            self._plan = Plan.of(self.config, window, self._open or {}, is_resumed=is_resumed)
        return self._plan

    def _calculated(self) -> Casts:
        """The selected ones of the properties that HubSpot calculates."""
        declared = self.effective_schema["properties"].get("properties", {}).get("properties", {})
        names = calculated_names(self.tap.definitions(self.object.path))
        above = ("properties", "properties", "properties")
        return Casts({name: declared[name] for name in declared if name in names and self.mask[(*above, name)]})

    def _refresh(self, casts: Casts) -> CalculatedRefresh:
        start = self.config.get("start_date")
        oldest = None if start is None else parse_instant(start)
        return CalculatedRefresh(reader_of(self.tap, self.object, casts.names), casts, self.window.high, oldest)

    @override
    def _version(self, saved: Mapping[str, Any]) -> int | None:
        """A sweep has a version of its own in every run, for all its ids come in that run."""
        return self._initialized_at if self.plan.sweeps else super()._version(saved)

    @override
    def _complete(self) -> None:
        done, high, state = self.plan.done, format_instant(self.window.high), self._open
        super()._complete()
        if state is not None and self.tap.max_records is None:
            state.update(dict.fromkeys(done, high))
