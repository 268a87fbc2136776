"""`meltano run tap-salesforce target-crmdb` as a user runs it: everything lands, then only what changed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import Meltano

RUN = ("run", "tap-salesforce", "target-crmdb")
# a plain object, one with every type of field, one without a stamp of changes, and one without a key
ACCOUNTS = "SELECT count(*), count(_sdc_deleted_at) FROM salesforce.account"
ONE = "SELECT count(*) FROM salesforce.account WHERE _sdc_deleted_at IS NULL"
STREAMS = ("Account", "Everything__c", "AccountHistory", "Reading__b")


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(sizes={"Account": 300}, clock="2026-10-01T08:00:00Z") as fake:
        fake.clock.advance(3600)
        yield fake


def access(fake: FakeSalesforce) -> dict[str, str]:
    """What a tap needs to read the org."""
    return {
        "TAP_SALESFORCE_LOGIN_URL": fake.url,
        "TAP_SALESFORCE_CLIENT_ID": fake.client_id,
        "TAP_SALESFORCE_CLIENT_SECRET": fake.client_secret,
        "TAP_SALESFORCE_CACHE_DIR": "none",
    }


@pytest.fixture
def job(meltano: Meltano, database: Any, fake: FakeSalesforce) -> Meltano:
    """The job's project, set to read that org and to write this test's database."""
    meltano.env |= {
        **access(fake),
        "TAP_SALESFORCE_STREAMS": f'["{STREAMS[0]}", "{STREAMS[1]}", "{STREAMS[2]}", "{STREAMS[3]}"]',
        "TARGET_CRMDB_SQLALCHEMY_URL": database.sqlalchemy_url,
    }
    return meltano


def last_run(database: Any) -> dict[str, dict[str, int]]:
    """The newest run's counters, by stream."""
    names = ("created", "updated", "deleted", "rejected")
    rows = database.query(
        f"SELECT stream, {', '.join(names)} FROM _crmdb.run_streams"
        " WHERE run_id = (SELECT run_id FROM _crmdb.runs ORDER BY started_at DESC LIMIT 1)"
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def column_types(database: Any, table: str) -> dict[str, str]:
    query = (
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'salesforce' AND table_name = %s"
    )
    return dict(database.query(query, table))


def live(database: Any) -> dict[str, tuple[Any, ...]]:
    rows = database.query("SELECT id, name, annual_revenue FROM salesforce.account WHERE _sdc_deleted_at IS NULL")
    return {row[0]: row[1:] for row in rows}


def in_the_org(fake: FakeSalesforce) -> dict[str, tuple[Any, ...]]:
    def revenue(value: Any) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    return {row["Id"]: (row["Name"], revenue(row["AnnualRevenue"])) for row in fake.org.records("Account")}


def test_the_job_lands_everything_and_a_second_run_only_the_changes(
    job: Meltano, fake: FakeSalesforce, database: Any
) -> None:
    job.run(*RUN)
    assert in_the_org(fake) == live(database)
    first = last_run(database)
    assert dict.fromkeys(STREAMS, 0) == {name: first[name]["rejected"] for name in STREAMS}
    assert len(fake.org.records("Everything__c")) == first["Everything__c"]["created"]
    assert len(fake.org.records("Reading__b")) == first["Reading__b"]["created"]
    kinds = column_types(database, "everything__c")
    assert {
        "day__c": "date",
        "moment__c": "timestamp with time zone",
        "hour__c": "time without time zone",
        "money__c": "numeric",
        "whole__c": "integer",
        "huge__c": "bigint",
        "flag__c": "boolean",
        "site__c": "jsonb",
        "text__c": "text",
    }.items() <= kinds.items()

    ids = [row["Id"] for row in fake.org.records("Account")]
    for one in ids[:40]:
        fake.org.update("Account", one, {"AnnualRevenue": Decimal("123456.78")})
    made = [fake.org.create("Account", {"Name": f"new {number}"}) for number in range(10)]
    for one in ids[-5:]:
        fake.org.delete("Account", one)
    fake.clock.advance(3600)
    job.run(*RUN)
    assert in_the_org(fake) == live(database)
    assert set(made) <= live(database).keys()
    counts = last_run(database)["Account"]
    assert (10, 45) == (counts["created"], counts["updated"]), counts


def test_the_check_runs_under_meltano(job: Meltano) -> None:
    output = job.run("invoke", "tap-salesforce", "--check")
    assert "Everything__c" in output
    assert "calls of 24 hours left" in output


def test_the_job_runs_in_the_demo_environment(meltano: Meltano, fake: FakeSalesforce, embedded_dir: Path) -> None:
    """As somebody without a Postgres begins: nothing is set but the org, and the data folder of this test."""
    meltano.env |= {
        **access(fake),
        "TARGET_CRMDB_EMBEDDED_DATA_DIR": str(embedded_dir),
        "TARGET_CRMDB_DEFAULT_TARGET_SCHEMA": "salesforce",
    }
    meltano.run("--environment=demo", *RUN)
    meltano.env["TARGET_CRMDB_EMBEDDED"] = "true"  # for `crmdb`, which knows no environments; Meltano had it of its own
    assert ["300", "0"] == numbers(meltano.call("crmdb", "sql", ACCOUNTS))

    ids = [row["Id"] for row in fake.org.records("Account")]
    fake.org.update("Account", ids[0], {"Name": "Renamed"})
    fake.org.delete("Account", ids[1])
    fake.org.purge("Account", ids[2])
    fake.org.create("Account", {"Name": "New"})
    fake.clock.advance(3600)
    before = len(fake.requests)
    meltano.run("--environment=demo", *RUN)
    assert ["301", "2"] == numbers(meltano.call("crmdb", "sql", ACCOUNTS))
    assert ["1"] == numbers(meltano.call("crmdb", "sql", f"{ONE} AND name = 'Renamed'"))
    assert fake.usage.used() < 200
    assert len(fake.requests) - before < 60


def numbers(output: str) -> list[str]:
    """The cells of the one row that was printed."""
    line = next(line for line in output.splitlines()[1:] if any(letter.isdigit() for letter in line))
    return [cell.strip() for cell in line.replace("|", " ").split()]
