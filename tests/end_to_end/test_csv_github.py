"""`meltano run tap-csv-github target-crmdb`: CSV files in the fake GitHub, and in a folder, against the tables."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_crm import FakeGitHub
    from tests.end_to_end.conftest import Meltano

Rows = dict[str, dict[str, str]]
STAGES = ("Won", "Lost", "Engaging", "")
TOWNS = ("Köln", "São Paulo", "Łódź", "Reno, NV", 'the "old" mill', "two\r\nlines")
COLUMNS = ("deal_id", "stage", "town", "zip", "closed")


def made_up(count: int) -> Rows:
    chance = random.Random(7)
    return {
        f"D{number:05}": {
            "deal_id": f"D{number:05}",
            "stage": chance.choice(STAGES),
            "town": chance.choice(TOWNS),
            "zip": f"0{chance.randrange(1000, 9999)}",
            "closed": f"{chance.randrange(1, 13)}/{chance.randrange(1, 29)}/2017",
        }
        for number in range(count)
    }


def text_of(rows: Rows, columns: tuple[str, ...] = COLUMNS, **dialect: Any) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, **dialect)
    writer.writeheader()
    writer.writerows(rows.values())
    return out.getvalue()


def stored(database: Any) -> Rows:
    names = ", ".join(COLUMNS)
    query = f"SELECT {names} FROM csv_github.deals WHERE _sdc_deleted_at IS NULL"
    fetched = [dict(zip(COLUMNS, row, strict=True)) for row in database.query(query)]
    found = {row["deal_id"]: row for row in fetched}
    assert len(found) == len(fetched)
    return found


@pytest.fixture
def run(meltano: Meltano, database: Any, github_or_folder: dict[str, Any]) -> Callable[[], str]:
    """Runs the job with one entry."""
    entry = {"path": "deals/*", "stream_name": "deals", "key_properties": ["deal_id"], **github_or_folder["entry"]}
    meltano.env |= {
        "TAP_CSV_GITHUB_FILES": json.dumps([entry]),
        "TARGET_CRMDB_SQLALCHEMY_URL": database.sqlalchemy_url,
        **github_or_folder["env"],
    }
    return lambda: meltano.run("run", "tap-csv-github", "target-crmdb")


@pytest.fixture(params=["github", "folder"])
def github_or_folder(request: pytest.FixtureRequest, fake_github: FakeGitHub, tmp_path: Path) -> dict[str, Any]:
    """Where the files stand, and what writes them there."""
    if request.param == "github":
        repository = fake_github.repository("acme/crm", {"README.md": "x"})
        env = {"TAP_CSV_GITHUB_API_URL": fake_github.api_url, "TAP_CSV_GITHUB_AUTH_TOKEN": fake_github.token}
        return {"entry": {"repository": "acme/crm"}, "env": env, "write": repository.commit}

    def write(files: dict[str, bytes | str | None]) -> None:
        for name, content in files.items():
            path = tmp_path / "exports" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)

    return {"entry": {"location": str(tmp_path / "exports")}, "env": {}, "write": write}


def test_files_arrive_whole_and_follow_every_edit(
    run: Callable[[], str], database: Any, github_or_folder: dict[str, Any]
) -> None:
    write, rows = github_or_folder["write"], made_up(3000)
    half = dict(list(rows.items())[:1500])
    rest = {key: row for key, row in rows.items() if key not in half}
    other: dict[str, Any] = {
        "columns": tuple(reversed(COLUMNS)),
        "delimiter": ";",
        "lineterminator": "\n",
        "quoting": csv.QUOTE_ALL,
    }
    write({"deals/a.csv": text_of(half), "deals/b.csv": text_of(rest, **other).encode("utf-16")})
    run()
    assert rows == stored(database)
    rows["D00007"]["stage"] = "changed"
    for key in ("D00003", "D02999"):
        del rows[key]
    moved = rows["D00010"]
    half = {key: row for key, row in rows.items() if key in half and key != "D00010"}
    rest = {**{key: row for key, row in rows.items() if key in rest}, "D00010": moved}
    write({"deals/a.csv": None, "deals/new name.csv": text_of(half), "deals/b.csv": text_of(rest)})
    run()
    assert rows == stored(database)
    assert [(2,)] == database.query("SELECT count(*) FROM csv_github.deals WHERE _sdc_deleted_at IS NOT NULL")
    run()
    assert rows == stored(database)
