"""What moves no modified date, all the way into Postgres by target-crmdb: links that ended, records that are gone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.tap_hubspot.conftest import Run, RunTap

    Load = Callable[..., Run]


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=40, companies=5, deals=6, tickets=3, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


@pytest.fixture
def load(run_tap: RunTap, crm: FakeCrm, database: Any, tmp_path: Path) -> Load:
    """Runs the named streams into this test's database, schema hubspot; afterwards a day goes by."""
    config = tmp_path / "target.json"
    config.touch(mode=0o600)

    def run(*streams: str, state: Any = None, hard_delete: bool = False, **settings: Any) -> Run:
        done = run_tap(crm, *streams, state=state, **settings)
        assert done.error is None
        target = {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": "hubspot"}
        config.write_text(json.dumps({**target, "hard_delete": hard_delete}), "utf-8")
        command = [sys.executable, "-m", "target_crmdb", "--config", str(config)]
        lines = "".join(json.dumps(message, default=float) + "\n" for message in done.messages)
        ended = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 0, ended.stderr[-3000:]
        crm.clock.advance(90_000)
        return done

    return run


def contacts(database: Any) -> dict[str, tuple[Any, ...]]:
    """Every contact's e-mail, number of deals and whether it is there, by id."""
    rows = database.query("SELECT id, email, num_associated_deals, _sdc_deleted_at IS NULL FROM hubspot.contacts")
    return {row[0]: (row[1], int(row[2] or 0), row[3]) for row in rows}


def links(database: Any) -> set[tuple[str, ...]]:
    return set(
        database.query(
            "SELECT from_id, to_object_type, to_id, type_id FROM hubspot.contacts_associations"
            " WHERE _sdc_deleted_at IS NULL"
        )
    )


def truth(crm: FakeCrm) -> set[tuple[str, ...]]:
    return {
        (record["id"], to, str(other), str(link.type_id))
        for record in crm.hubspot.records("contacts")
        for to in ("companies", "contacts", "deals", "tickets")
        for other, types in crm.hubspot.links.of(("contacts", to), int(record["id"]))
        for link in types
    }


def test_links_that_ended_are_gone_and_new_ones_there(load: Load, crm: FakeCrm, database: Any) -> None:
    first = load("contacts_associations")
    assert links(database) == truth(crm)
    one, to, other, _ = min(truth(crm))
    crm.hubspot.dissociate("contacts", one, to, other)
    made = crm.hubspot.create("companies", {})
    crm.hubspot.associate("contacts", one, "companies", made, primary=True)
    load("contacts_associations", state=first.state)
    assert links(database) == truth(crm)
    assert {(one, "companies", made, "1"), (one, "companies", made, "279")} <= links(database)


def test_a_refresh_changes_calculated_columns_and_nothing_else(load: Load, crm: FakeCrm, database: Any) -> None:
    every = {"refresh_calculated_every": 6}
    first = load("contacts", **every)
    before = contacts(database)
    one = min(before)
    crm.hubspot.recalculate("contacts", one, {"num_associated_deals": "99"})
    load("contacts", state=first.state, **every)
    assert contacts(database) == {**before, one: (before[one][0], 99, True)}


@pytest.mark.parametrize("hard_delete", [False, True])
def test_a_sweep_finds_what_is_gone_for_good_and_keeps_values_and_tombstones(
    load: Load, crm: FakeCrm, database: Any, hard_delete: bool
) -> None:
    every = {"sweep_ids_every": 24, "hard_delete": hard_delete}
    first = load("contacts", **every)
    before = contacts(database)
    purged, binned, loser, winner = sorted(before)[:4]
    crm.hubspot.archive("contacts", binned)
    crm.hubspot.merge("contacts", winner, loser)
    crm.clock.advance(3600)
    second = load("contacts", state=first.state, sweep_ids_every=0, hard_delete=hard_delete)
    crm.hubspot.purge("contacts", purged)
    load("contacts", state=second.state, **every)
    gone = {purged, binned, loser}
    if hard_delete:
        assert contacts(database) == {one: row for one, row in before.items() if one not in gone}
    else:
        assert contacts(database) == {one: (*row[:2], one not in gone) for one, row in before.items()}
        (merged,) = database.query("SELECT merged_into_id FROM hubspot.contacts WHERE id = %s", loser)
        assert merged == (winner,)


def test_a_sweep_brings_back_what_was_restored_without_a_new_date(load: Load, crm: FakeCrm, database: Any) -> None:
    """Unverified: whether restoring moves the modified date. Where it does not, this finds the record alive."""
    every = {"sweep_ids_every": 24}
    first = load("contacts", **every)
    before = contacts(database)
    one = min(before)
    stamp = crm.hubspot.record("contacts", one)["updatedAt"]
    crm.hubspot.archive("contacts", one)
    crm.clock.advance(3600)
    second = load("contacts", state=first.state, sweep_ids_every=0)
    assert contacts(database)[one][2] is False
    crm.hubspot.restore("contacts", one)
    crm.hubspot.bulk_stamp("contacts", [one], stamp)
    load("contacts", state=second.state, **every)
    assert contacts(database) == before


def test_a_history_grows_by_new_values(load: Load, crm: FakeCrm, database: Any) -> None:
    named = {"history_properties": ["deals:dealstage"]}
    first = load("deals_property_history", **named)
    one = crm.hubspot.records("deals")[0]["id"]
    crm.hubspot.update("deals", one, {"dealstage": "closedlost"})
    crm.clock.advance(3600)
    second = load("deals_property_history", state=first.state, **named)
    load("deals_property_history", state=second.state, **named)
    query = "SELECT value FROM hubspot.deals_property_history WHERE object_id = %s ORDER BY timestamp, sequence"
    assert [row[0] for row in database.query(query, one)][-1] == "closedlost"
    assert database.query("SELECT count(*) FROM hubspot.deals_property_history") == [(7,)]
