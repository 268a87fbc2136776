"""Edits while the tap pages (faults S01, S02): the union of this run and the next equals the source."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from tests.tap_hubspot.conftest import RunTap


class Editor:
    """Changes the source on every request: edits, creates, archives and merges, always other records."""

    def __init__(self, crm: FakeCrm, seed: int) -> None:
        self.crm = crm
        self.random = random.Random(seed)
        self.active = True

    def __call__(self, request: Any) -> None:
        if not self.active or "/contacts" not in request.path:
            return
        self.crm.clock.advance(1)
        ids = [record["id"] for record in self.crm.hubspot.records("contacts")]
        edited, archived, winner, loser = self.random.sample(ids, 4)
        self.crm.hubspot.update("contacts", edited, {"firstname": f"edit {self.random.random()}"})
        self.crm.hubspot.create("contacts", {"firstname": "made meanwhile"})
        what = self.random.random()
        if what < 0.3:
            self.crm.hubspot.archive("contacts", archived)
        elif what < 0.4:
            self.crm.hubspot.merge("contacts", winner, loser)


@pytest.mark.parametrize("page_size", [7, 200])
@pytest.mark.parametrize("seed", range(3))
def test_s01_s02_edits_during_paging_lose_nothing(run_tap: RunTap, seed: int, page_size: int) -> None:
    with FakeCrm(seed=seed, contacts=400, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        editor = Editor(crm, seed)
        crm.on_request(editor)
        runs = [run_tap(crm, "contacts", page_size=page_size)]
        runs.append(run_tap(crm, "contacts", page_size=page_size, state=runs[-1].state))
        editor.active = False
        crm.clock.advance(3600)
        runs.append(run_tap(crm, "contacts", state=runs[-1].state))
        assert [run.error for run in runs] == [None] * 3
        assert run_tap.differences(crm, "contacts", *runs) == []
