"""The real `meltano`, run in this project or in one made for the test, with nothing of a developer's own state."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.embedded import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_crm import FakeCrm

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Meltano:
    """A Meltano project and the environment variables that its runs get."""

    project: Path
    env: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start `meltano …`; its output is read by the caller."""
        return subprocess.Popen(
            [BIN / "meltano", *arguments],
            cwd=self.project,
            env={**clean_environment(), **self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, expect: int = 0, **env: str) -> str:
        """Run `meltano …` to its end, check its exit code, return what it printed."""
        process = self.start(*arguments, **env)
        output, _ = process.communicate(timeout=280)
        assert process.returncode == expect, output[-6000:]
        return output

    def call(self, command: str, *arguments: str | Path) -> str:
        """Run another console script of the suite with the same settings; its standard output."""
        done = subprocess.run(
            [BIN / command, *arguments],
            cwd=self.project,
            env={**clean_environment(), **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def clean_environment() -> dict[str, str]:
    """This process's environment without settings that a developer may have exported."""
    ours = ("MELTANO_", "TAP_", "TARGET_", "CRMDB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def plugins_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this session's plugins are installed: apart from the project's own `.meltano`."""
    return tmp_path_factory.mktemp("meltano")


@pytest.fixture
def meltano(plugins_home: Path, tmp_path: Path) -> Meltano:
    """This project, with state of its own."""
    env = {
        "MELTANO_SYS_DIR_ROOT": str(plugins_home),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_ENVIRONMENT": "prod",
    }
    return Meltano(ROOT, env)


@pytest.fixture
def embedded_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder for the embedded server, removed afterwards (for root it lies outside the test's own folder)."""
    yield tmp_path / "pgdata"
    remove(tmp_path / "pgdata")


# -- the oracle: a table against the CRM that it came from ------------------------------------------------------------


def stored_form(kind: str, value: str | None) -> object:
    """A property of the API (always a string or null) as its typed column should show it in JSON."""
    if value is None or (value == "" and kind not in {"text", "jsonb"}):
        return None
    match kind:
        case "numeric":
            return Decimal(value)
        case "boolean":
            return value == "true"
        case "timestamp with time zone":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value[:10])
        case _:
            return value


@dataclass(frozen=True)
class Oracle:
    """Compares a stream's live rows with the fake CRM's live records, every property of every row."""

    crm: FakeCrm
    database: Any

    def differences(self, stream: str) -> list[str]:
        """What is missing, extra, or differs; empty when the table equals the source."""
        kinds = dict(
            self.database.query(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'hubspot' AND table_name = %s",
                stream,
            )
        )
        rows = self._rows(stream, kinds)
        records = {record["id"]: record for record in self.crm.hubspot.records(stream)}
        found = [f"missing: {key}" for key in records.keys() - rows.keys()]
        found += [f"extra: {key}" for key in rows.keys() - records.keys()]
        for key in records.keys() & rows.keys():
            found += self._of_row(key, records[key]["properties"], rows[key], kinds)
        return found[:20]

    def _rows(self, stream: str, kinds: dict[str, str]) -> dict[str, dict[str, Any]]:
        names = list(kinds)
        columns = ", ".join(f'"{name}"' for name in names)
        query = f'SELECT {columns} FROM hubspot."{stream}" WHERE _sdc_deleted_at IS NULL'
        fetched = [dict(zip(names, row, strict=True)) for row in self.database.query(query)]
        rows = {row["id"]: row for row in fetched}
        assert len(rows) == len(fetched), "an id stands in the table twice"
        return rows

    def _of_row(
        self, key: str, properties: dict[str, str | None], row: dict[str, Any], kinds: dict[str, str]
    ) -> list[str]:
        return [
            f"{key}.{name}: {value!r} is stored as {row[name]!r}"
            for name, value in properties.items()
            if name in row
            and not self._is_bad_value(kinds[name], value)
            and row[name] != stored_form(kinds[name], value)
        ]

    @staticmethod
    def _is_bad_value(kind: str, value: str | None) -> bool:
        """A value that its declared type cannot hold: the tap makes it null and says so."""
        if kind != "numeric" or not value:
            return False
        try:
            return not Decimal(value).is_finite()
        except InvalidOperation:
            return True


@pytest.fixture
def oracle_of(database: Any) -> Callable[[FakeCrm], Oracle]:
    """Makes the comparison for a fake CRM and this test's database."""
    return lambda crm: Oracle(crm, database)


@pytest.fixture
def job(meltano: Meltano, database: Any) -> Callable[[FakeCrm], Meltano]:
    """The main job's project, set to read that CRM and to write this test's database."""

    def wire(crm: FakeCrm) -> Meltano:
        meltano.env |= {
            "TAP_HUBSPOT_API_URL": crm.url,
            "TAP_HUBSPOT_ACCESS_TOKEN": crm.token,
            "TARGET_CRMDB_SQLALCHEMY_URL": database.sqlalchemy_url,
        }
        return meltano

    return wire
