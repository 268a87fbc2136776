"""`meltano run tap-hubspot target-crmdb` as a user runs it: first sync, delta, full refresh, cleared state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import Meltano, Oracle

RUN = ("run", "tap-hubspot", "target-crmdb")
OBJECTS = ("contacts", "companies", "deals", "tickets")
STATE_ID = "prod:tap-hubspot-to-target-crmdb"


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=11, contacts=400, companies=60, deals=300, tickets=40, clock="2026-10-01T08:00:00Z") as crm:
        crm.clock.advance(3600)
        yield crm


def last_run(database: Any) -> dict[str, dict[str, int]]:
    """The newest run's counters, by stream."""
    names = ("seen", "created", "updated", "unchanged", "stale", "deduplicated", "deleted", "rejected")
    rows = database.query(
        f"SELECT stream, {', '.join(names)} FROM _crmdb.run_streams"
        " WHERE run_id = (SELECT run_id FROM _crmdb.runs ORDER BY started_at DESC LIMIT 1)"
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def test_the_main_job_lands_everything_and_a_second_run_only_the_changes(
    job: Callable[[FakeCrm], Meltano], crm: FakeCrm, oracle_of: Callable[[FakeCrm], Oracle], database: Any
) -> None:
    meltano, oracle = job(crm), oracle_of(crm)
    meltano.run(*RUN)
    assert [oracle.differences(stream) for stream in OBJECTS] == [[], [], [], []]
    first = last_run(database)
    assert first["contacts"]["created"] >= 400
    assert all(counts["updated"] == counts["rejected"] == 0 for counts in first.values())

    deals = [record["id"] for record in crm.hubspot.records("deals")]
    for deal in deals[:100]:
        crm.hubspot.update("deals", deal, {"amount": "123456.78"})
    made = [crm.hubspot.create("deals", {"dealname": f"new {n}", "amount": str(n)}) for n in range(10)]
    for deal in deals[-5:]:
        crm.hubspot.archive("deals", deal)
    crm.clock.advance(3600)
    meltano.run(*RUN)

    counts = last_run(database)["deals"]
    assert (counts["created"], counts["updated"]) == (10, 105), counts
    assert oracle.differences("deals") == []
    assert [(5,)] == database.query(
        "SELECT count(*) FROM hubspot.deals WHERE _sdc_deleted_at IS NOT NULL AND id = ANY(%s)", deals[-5:]
    )
    assert [(10,)] == database.query("SELECT count(*) FROM hubspot.deals WHERE id = ANY(%s)", made)


def test_full_refresh_and_cleared_state_neither_lose_nor_double(
    job: Callable[[FakeCrm], Meltano], crm: FakeCrm, oracle_of: Callable[[FakeCrm], Oracle], database: Any
) -> None:
    meltano, oracle = job(crm), oracle_of(crm)
    meltano.run(*RUN)
    before = database.query("SELECT count(*) FROM hubspot.contacts")
    meltano.run("run", "--full-refresh", *RUN[1:])
    assert last_run(database)["contacts"]["created"] == 0
    meltano.run("state", "clear", "--force", STATE_ID)
    meltano.run(*RUN)
    counts = last_run(database)["contacts"]
    assert (counts["created"], counts["updated"]) == (0, 0), counts
    assert before == database.query("SELECT count(*) FROM hubspot.contacts")
    assert [oracle.differences(stream) for stream in OBJECTS] == [[], [], [], []]


def test_a_dry_run_changes_neither_the_database_nor_meltanos_state(
    job: Callable[[FakeCrm], Meltano], crm: FakeCrm, database: Any, tmp_path: Path
) -> None:
    """What it foretells is what the next real run does; the same for an overwrite of everything."""
    meltano = job(crm)
    meltano.run(*RUN)
    crm.hubspot.update("deals", crm.hubspot.records("deals")[0]["id"], {"amount": "123456.78"})
    crm.clock.advance(3600)
    before = everything(database), state_of(meltano)
    report = tmp_path / "report.json"
    dry: dict[str, Any] = {"TARGET_CRMDB_DRY_RUN": "true", "TARGET_CRMDB_DRY_RUN_REPORT": str(report)}
    meltano.run("run", "--full-refresh", *RUN[1:], **dry, TARGET_CRMDB_LOAD_METHOD="overwrite")
    meltano.run(*RUN, **dry)
    assert before == (everything(database), state_of(meltano))
    foretold = json.loads(report.read_text("utf-8"))["streams"]["deals"]["counts"]
    meltano.run(*RUN)
    assert {name: foretold[name] for name in last_run(database)["deals"]} == last_run(database)["deals"]
    assert foretold["updated"] == 1


def state_of(meltano: Meltano) -> Any:
    """What Meltano has stored; its log stands before it."""
    return json.loads(meltano.run("state", "get", STATE_ID).splitlines()[-1])


def everything(database: Any) -> list[tuple[str, str]]:
    """A checksum of every table of ours."""
    tables = database.query(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
        " WHERE schemaname IN ('hubspot', '_crmdb') ORDER BY 1"
    )
    return [
        (
            name,
            database.query(f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {name} t")[0][0],
        )
        for (name,) in tables
    ]


def test_prod_without_a_connection_reads_nothing_and_says_what_to_set(meltano: Meltano, crm: FakeCrm) -> None:
    meltano.env |= {"TAP_HUBSPOT_API_URL": crm.url, "TAP_HUBSPOT_ACCESS_TOKEN": crm.token}
    output = meltano.run(*RUN, expect=1)
    assert "(exit code 78)" in output
    assert "embedded" in output
    assert "host" in output


def test_the_embedded_postgres_and_a_real_one_together_are_refused(meltano: Meltano, crm: FakeCrm) -> None:
    """Made-up data must not reach a real database by a forgotten variable."""
    meltano.env |= {"TAP_HUBSPOT_API_URL": crm.url, "TAP_HUBSPOT_ACCESS_TOKEN": crm.token}
    output = meltano.run(*RUN, expect=1, MELTANO_ENVIRONMENT="demo", TARGET_CRMDB_HOST="db.example.invalid")
    assert "embedded" in output
    assert "host" in output


def test_both_venv_backends_install_the_plugins(meltano: Meltano, tmp_path: Any) -> None:
    for backend in ("uv", "virtualenv"):
        home = str(tmp_path / backend)
        meltano.run("install", MELTANO_VENV_BACKEND=backend, MELTANO_SYS_DIR_ROOT=home)
        meltano.run("invoke", "tap-hubspot", "--version", MELTANO_VENV_BACKEND=backend, MELTANO_SYS_DIR_ROOT=home)
