"""The page "your own CSV as a HubSpot", followed to the letter: its files, its commands, its queries."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conftest import Meltano

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "your-own-csv-as-a-hubspot.md").read_text("utf-8")
BLOCKS = re.findall(r"```\w*\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The page's two files and its world, served by `fake-crm serve`."""
    for name, start in (("accounts.csv", "account,"), ("pipeline.csv", "opportunity_id,"), ("world.toml", "[objects")):
        (tmp_path / name).write_text(next(block for block in BLOCKS if block.startswith(start)), "utf-8")
    address = tmp_path / "url"
    serve: list[str | Path] = [Path(sys.executable).with_name("fake-crm"), "serve", "--world", "world.toml"]
    process = subprocess.Popen([*serve, "--url-file", address], cwd=tmp_path, stdout=subprocess.PIPE)
    with process:
        while not address.exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield address.read_text("utf-8").strip()
        process.terminate()


@pytest.fixture
def project(meltano: Meltano, served: str, embedded_dir: Path) -> Meltano:
    """This project with the page's exports; the embedded data in a folder of the test's own."""
    meltano.env |= {
        "TAP_HUBSPOT_API_URL": served,
        "TAP_HUBSPOT_ACCESS_TOKEN": "test-token",
        "TARGET_CRMDB_EMBEDDED": "true",
        "TARGET_CRMDB_EMBEDDED_DATA_DIR": str(embedded_dir),
        "TARGET_CRMDB_DEFAULT_TARGET_SCHEMA": "hubspot",
        "MELTANO_ENVIRONMENT": "dev",
    }
    return meltano


def rows(project: Meltano, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.call("crmdb", "sql", "--json", query), parse_float=Decimal)
    return found


def counts_of_last_run(project: Meltano) -> dict[str, Any]:
    """The history of the newest run's deals."""
    told = json.loads(project.call("crmdb", "history", "--runs", "1", "--stream", "deals", "--json"))
    (found,) = told if isinstance(told, list) else [told]
    return dict(found)


def test_the_page_does_what_it_says(project: Meltano, served: str) -> None:
    def hour_goes_by() -> None:
        project.call("fake-crm", "clock", "--url", served, "--advance", "3600")

    hour_goes_by()
    project.run("run", "tap-hubspot", "target-crmdb")
    by_stage = next(block for block in BLOCKS if block.startswith("SELECT stage")).strip().rstrip(";")
    found = {row["stage"]: (row["count"], row["sum"]) for row in rows(project, by_stage)}
    assert {stage: count for stage, (count, _) in found.items()} == {"Won": 1, "Lost": 1, "Engaging": 1}
    assert [Decimal(str(found[stage][1])) for stage in ("Won", "Lost")] == [1054, 0]
    assert found["Engaging"][1] is None
    assert rows(project, "SELECT count(*) FROM hubspot.deals WHERE account_name IS NULL") == [{"count": 1}]
    assert rows(project, "SELECT count(*) FROM hubspot.owners") == [{"count": 2}]

    project.call("fake-crm", "edit", "--url", served, "--deals", "1", "--create", "2", "--of", "deals")
    project.call("fake-crm", "edit", "--url", served, "--archive", "1", "--of", "deals")
    hour_goes_by()
    project.run("run", "tap-hubspot", "target-crmdb")
    counts = counts_of_last_run(project)
    assert (counts["created"], counts["unchanged"], counts["rejected"]) == (2, 0, 0), counts
    assert rows(project, "SELECT count(*), count(_sdc_deleted_at) AS gone FROM hubspot.deals") == [
        {"count": 5, "gone": 1}
    ]
