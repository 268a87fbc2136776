"""`meltano run tap-pipedrive target-crmdb` in the demo environment: first sync, then only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake_crm import FakePipedrive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import Meltano

RUN = ("--environment=demo", "run", "tap-pipedrive", "target-crmdb")
DEALS = (
    "SELECT count(*), count(_sdc_deleted_at), count(DISTINCT id), round(sum(value) * 100)::bigint, count(budget),"
    " count(plan_label), max(source_currency), count(*) FILTER (WHERE is_archived) FROM pipedrive.deals"
)


@pytest.fixture
def crm() -> Iterator[FakePipedrive]:
    sizes = {"deals": 300, "persons": 200, "organizations": 40}
    with FakePipedrive(seed=11, sizes=sizes, clock="2026-10-01T08:00:00Z") as crm:
        crm.clock.advance(3600)
        yield crm


def test_the_job_lands_everything_and_a_second_run_only_the_changes(
    meltano: Meltano, crm: FakePipedrive, embedded_dir: Path
) -> None:
    meltano.env |= {
        "TAP_PIPEDRIVE_API_URL": crm.url,
        "TAP_PIPEDRIVE_API_TOKEN": crm.token,
        "TARGET_CRMDB_EMBEDDED": "true",
        "TARGET_CRMDB_EMBEDDED_DATA_DIR": str(embedded_dir),
        "TARGET_CRMDB_DEFAULT_TARGET_SCHEMA": "pipedrive",
    }
    meltano.run(*RUN)
    assert expected(crm) == numbers(meltano.call("crmdb", "sql", DEALS))
    assert not any("participants" in entry.path for entry in crm.requests)

    for row in crm.pipedrive.live("deals")[:20]:
        crm.pipedrive.update("deals", row["id"], value=7)
    for row in crm.pipedrive.live("deals")[30:35]:
        crm.pipedrive.delete("deals", row["id"])
    crm.pipedrive.create("deals", title="New", custom_fields={})
    crm.clock.advance(3600)
    before = len(crm.requests)
    meltano.run(*RUN)
    assert expected(crm) == numbers(meltano.call("crmdb", "sql", DEALS))
    assert sum(entry.path == "/api/v2/deals" for entry in crm.requests[before:]) <= 2  # itself, and for its children
    persons = "SELECT count(*), count(DISTINCT id) FROM pipedrive.persons WHERE emails IS NOT NULL"
    assert numbers(meltano.call("crmdb", "sql", persons)) == ["200", "200"]


def expected(crm: FakePipedrive) -> list[str]:
    """What the query above must find."""
    rows, own = crm.pipedrive.rows("deals"), crm.pipedrive.definitions.custom("deal")
    code = {each.kind: code for code, each in own.items()}
    deleted = [row for row in rows if row["is_deleted"]]
    total = sum(row["value"] for row in rows)
    budget = next(code for code, each in own.items() if each.name == "Budget")
    return [
        str(len(rows)),
        str(len(deleted)),
        str(len(rows)),
        str(round(total * 100)),
        str(sum(row["custom_fields"].get(budget) is not None for row in rows)),
        str(sum(row["custom_fields"].get(code["enum"]) is not None for row in rows)),
        "EUR",
        str(sum(row["is_archived"] for row in rows)),
    ]


def numbers(output: str) -> list[str]:
    """The cells of the one row that was printed."""
    line = next(line for line in output.splitlines()[1:] if any(letter.isdigit() for letter in line))
    return [cell.strip() for cell in line.replace("|", " ").split()]
