"""Merges: wherever the winner went since, its losers are gone from the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from tests.tap_hubspot.conftest import RunTap


@pytest.mark.parametrize("stream", ["contacts", "deals"])
def test_s02_the_losers_of_a_winner_that_was_archived_are_gone_too(run_tap: RunTap, stream: str) -> None:
    with FakeCrm(seed=5, contacts=9, companies=0, deals=9, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(3600)
        first = run_tap(crm, stream)
        crm.clock.advance(3600)
        winner, loser = (each["id"] for each in crm.hubspot.records(stream)[:2])
        crm.hubspot.merge(stream, winner, loser)
        crm.hubspot.archive(stream, winner)
        crm.clock.advance(3600)
        second = run_tap(crm, stream, state=first.state)
        gone = {record["id"]: record for record in second.records(stream)}
        assert gone.keys() == {winner, loser}
        assert gone[loser]["merged_into_id"] == winner
        assert all(record["_sdc_deleted_at"] for record in gone.values())
        assert run_tap.differences(crm, stream, first, second) == []
