"""What a stream does in one run, one after the other, and where it stands in that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import format_instant, parse_instant
from crmdb_core.schedule import is_due
from crmdb_core.stream import Page
from crmdb_core.window import WindowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from crmdb_core.window import ReadWindow

__all__ = ["FORMULAS", "IDS", "RECORDS", "Upkeep", "in_step", "read_from", "step_of", "with_read_from"]

RECORDS, FORMULAS, IDS = "records", "formulas", "ids"
_SETTINGS = {FORMULAS: "refresh_formulas_every", IDS: "compare_ids_every"}
_READ_FROM = "read_from"
_STATE = {FORMULAS: "formulas_at", IDS: "ids_at"}


def step_of(point: Mapping[str, Any] | None) -> str:
    """The step in which a resume point lies."""
    name = None if point is None else point.get("step")
    return name if name in {FORMULAS, IDS} else RECORDS


@dataclass(frozen=True)
class Upkeep:
    """What is done beside reading what changed: when it is due, formulas are read again, and ids compared.

    `done` are the steps that STATE may call done after this run.
    """

    steps: tuple[str, ...] = ()
    done: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        config: Mapping[str, Any],
        window: ReadWindow,
        state: Mapping[str, Any],
        *,
        is_resumed: bool,
        may: frozenset[str],
    ) -> Upkeep:
        """By the settings and what STATE says; `may` are the steps that the object has a use for.

        A whole read does all of it by itself, one with a `since` none. A whole read that two runs made compares no
        ids: a target that counts rows by run cannot tell what is gone.
        """
        wanted = [step for step in (FORMULAS, IDS) if step in may and config.get(_SETTINGS[step])]
        if config.get("max_records") is not None:
            return cls()
        if window.kind is WindowKind.FULL:
            return cls(done=tuple(step for step in wanted if step == FORMULAS or not is_resumed))
        if window.kind is not WindowKind.BOOKMARK:
            return cls()
        due = tuple(s for s in wanted if is_due(state.get(_STATE[s]), int(config[_SETTINGS[s]]), window.high))
        return cls(due, due)

    def with_ids(self) -> Upkeep:
        """The same, with ids compared whether it is due or not."""
        steps = tuple(step for step in (FORMULAS, IDS) if step in self.steps or step == IDS)
        return Upkeep(steps, tuple(dict.fromkeys((*self.done, IDS))))

    def to_state(self, at: str) -> dict[str, str]:
        """What STATE keeps of what was done."""
        return {_STATE[step]: at for step in self.done}


def read_from(state: Mapping[str, Any], start_date: str | None) -> datetime | None:
    """From which stamp on records have been sent; None: all of them. STATE knows it better than today's settings."""
    try:
        told = state.get(_READ_FROM, start_date)
        return None if told is None else parse_instant(told)
    except (ValueError, TypeError):
        return None if start_date is None else parse_instant(start_date)


def with_read_from(state: Mapping[str, Any], window: ReadWindow) -> dict[str, str | None]:
    """What STATE keeps of that when a window was read whole: nothing new, or its low end."""
    begins = window.bookmark is None and window.kind is not WindowKind.BOOKMARK
    if window.low is None or begins:
        return {_READ_FROM: None if window.low is None else format_instant(window.low)}
    known = read_from(state, None)
    is_wider = _READ_FROM in state and known is not None and window.low < known
    return {_READ_FROM: format_instant(window.low)} if is_wider else {}


def in_step(step: str, pages: Iterable[Page]) -> Iterator[Page]:
    """Pages whose points say in which step they are."""
    for page in pages:
        yield Page(page.rows, {"step": step, **(page.point or {})})
