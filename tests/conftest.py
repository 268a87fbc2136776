"""Postgres for the tests: the embedded server and every installed one, each test in a database of its own.

`CRMDB_REQUIRE_POSTGRES=15,18` fails a run in which one of these major versions ran no test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import hypothesis
import psycopg
import pytest
from psycopg import sql
from typing_extensions import override

from target_crmdb.embedded import EmbeddedPostgres, remove
from target_crmdb.embedded_places import Account, wheel_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import LiteralString

# a change is judged by the same examples twice; `make test-long` looks for new ones
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("new")
hypothesis.settings.load_profile("same")

# nothing in a test needs to outlive a power cut
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Installation:
    """The programs of one Postgres version."""

    bin_dir: Path
    version: str
    kind: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @override
    def __str__(self) -> str:
        return f"{self.version} ({self.kind})"


@cache
def installations() -> tuple[Installation, ...]:
    """The embedded server first, then each further one found, one per major version and kind."""
    embedded = wheel_binaries(Account.current())
    found = [_installation(embedded, "embedded"), *(_installation(folder, "installed") for folder in _folders())]
    return tuple({(one.kind, one.major): one for one in reversed(found) if one}.values())[::-1]


def _folders() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if pg_config := shutil.which("pg_config"):
        yield Path(subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent


def _installation(folder: Path, kind: str) -> Installation | None:
    programs = [folder / name for name in ("postgres", "initdb", "pg_ctl")]
    if not all(program.exists() for program in programs):
        return None
    told = subprocess.run([programs[0], "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"\(PostgreSQL\) (\d+\S*)", told)
    return Installation(folder, match[1], kind) if match else None


@dataclass(frozen=True)
class Postgres:
    """A running server of the tests."""

    installation: Installation
    server: EmbeddedPostgres

    @property
    def major(self) -> int:
        return self.installation.major

    def conninfo(self, dbname: str) -> str:
        """The libpq URI of one of its databases."""
        return self.server.conninfo.replace("/crmdb?", f"/{quote(dbname, safe='')}?", 1)


@dataclass(frozen=True)
class Database:
    """A database that belongs to one test."""

    postgres: Postgres
    name: str

    @property
    def major(self) -> int:
        return self.postgres.major

    @property
    def url(self) -> str:
        return self.postgres.conninfo(self.name)

    @property
    def sqlalchemy_url(self) -> str:
        return self.url.replace("postgresql:", "postgresql+psycopg:", 1)

    def query(self, query: LiteralString, *args: object) -> list[tuple[Any, ...]]:
        """Run one statement, committed, in a connection of its own; its rows, or none."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, args or None)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """Each server in turn: every test that uses it runs once on the embedded one and once on each installed one."""
    installation: Installation = request.param
    folder = Path(tempfile.mkdtemp(prefix="crmdb-test-"))  # short, and not below pytest's own private folder
    folder.chmod(0o711)  # so that the server, which as root runs as nobody, can go through
    try:
        with EmbeddedPostgres(folder / "pg", bin_dir=installation.bin_dir, settings=_FAST) as server:
            yield Postgres(installation, server)
        remove(folder / "pg", bin_dir=installation.bin_dir)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """A fresh, empty database, dropped after the test."""
    made = Database(postgres, f"test_{os.urandom(6).hex()}")
    name = sql.Identifier(made.name)
    _execute(postgres, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    yield made
    _execute(postgres, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _execute(postgres: Postgres, statement: sql.Composed) -> None:
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(statement)


# -- which servers were used ------------------------------------------------------------------------------------------

_USED = pytest.StashKey[dict[str, int]]()  # name → major version


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that needs a Postgres on each one found."""
    if "postgres" in metafunc.fixturenames:
        ids = [f"pg{one.major}-{one.kind}" for one in installations()]
        metafunc.parametrize("postgres", installations(), ids=ids, indirect=True, scope="session")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with none used."""
    config.stash[_USED] = {}


def pytest_runtest_call(item: pytest.Item) -> None:
    """Note the server of a test that is about to run."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    if isinstance(used := params.get("postgres"), Installation):
        item.config.stash[_USED][str(used)] = used.major


def _missing(config: pytest.Config) -> list[str]:
    wanted = [major.strip() for major in os.environ.get("CRMDB_REQUIRE_POSTGRES", "").split(",") if major.strip()]
    used = {str(major) for major in config.stash[_USED].values()}
    return [] if config.option.collectonly else [major for major in wanted if major not in used]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist used."""
    node.config.stash[_USED].update(getattr(node, "workeroutput", {}).get("servers", {}))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that was to use a server and did not; a worker of pytest-xdist tells the run what it used."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["servers"] = session.config.stash[_USED]
        return
    if _missing(session.config) and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers ran tests."""
    used = config.stash[_USED]
    terminalreporter.write_line(f"Postgres servers used: {', '.join(used) or 'none'}")
    if missing := _missing(config):
        terminalreporter.write_line(f"Postgres {', '.join(missing)} was required and ran no test", red=True)
