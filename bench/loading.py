"""The same rows into Postgres: psql's COPY as the floor, target-crmdb, and MeltanoLabs' target-postgres."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.contacts import COLUMNS, NOTHING, STREAM, Feed
from bench.database import SCHEMA, Database, Server
from bench.measure import BIN, Usage, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Loader = Callable[[Workshop, Feed, Database], Usage]

FLOOR = "psql copy + ON CONFLICT"
OURS = "target-crmdb"
PEER = "target-postgres, defaults"
FAST_PEER = "target-postgres, fastest settings"

# its fastest: COPY, no validation, large batches, no metadata, no ACTIVATE_VERSION
_FASTEST = {
    "use_copy": True,
    "validate_records": False,
    "batch_size_rows": 50_000,
    "add_record_metadata": False,
    "activate_version": False,
}


@dataclass(frozen=True)
class Load:
    """One load of one contender."""

    contender: str
    step: str
    repeat: int
    rows: int
    usage: Usage
    wal_mb: float


@dataclass
class Contest:
    """The contenders' turns; the first one's tables, psql's, are what the others' are held against."""

    workshop: Workshop
    server: Server
    feeds: Mapping[str, Feed]
    expected: dict[str, Any] = field(default_factory=dict)

    def turn(self, contender: str, load: Loader, repeat: int) -> Iterator[Load]:
        """Let one contender do all loads, each turn in databases of its own."""
        with self.server.database() as database:
            # apart from the others: statistics of an empty table would spoil the plans of the first real load
            yield self._load(contender, load, repeat, NOTHING, database)
        with self.server.database() as database:
            for step in (step for step in self.feeds if step != NOTHING):
                yield self._load(contender, load, repeat, step, database)

    def _load(self, contender: str, load: Loader, repeat: int, step: str, database: Database) -> Load:
        feed = self.feeds[step]
        database.settle()
        before = database.wal_position()
        usage = load(self.workshop, feed, database)
        wal_mb = (database.wal_position() - before) / 1e6
        if feed.rows:
            self._check(contender, step, database)
        print(f"  {contender}, {step}: {feed.rows:,} rows in {usage.seconds:.2f} s", flush=True)
        return Load(contender, step, repeat, feed.rows, usage, wal_mb)

    def _check(self, contender: str, step: str, database: Database) -> None:
        if self.expected.setdefault(step, found := database.fingerprint()) != found:
            raise SystemExit(f"{contender}, {step}: the table is not equal to that of {FLOOR}")


def measure_loading(workshop: Workshop, server: Server, feeds: Mapping[str, Feed], repeats: int) -> list[Load]:
    """Let all contenders take turns, in changing order; refuse a run in which a table is not what it should be."""
    contest = Contest(workshop, server, feeds)
    contenders = _contenders(server)
    return [
        load
        for repeat in range(repeats)
        for name in (list(contenders) if repeat % 2 == 0 else list(contenders)[::-1])
        for load in contest.turn(name, contenders[name], repeat)
    ]


def _contenders(server: Server) -> dict[str, Loader]:
    return {
        FLOOR: lambda workshop, feed, database: _psql(server, workshop, feed, database),
        OURS: _singer("target-crmdb", {}),
        PEER: _singer("target-postgres", {}),
        FAST_PEER: _singer("target-postgres", _FASTEST),
    }


def _singer(program: str, settings: Mapping[str, Any]) -> Loader:
    def load(workshop: Workshop, feed: Feed, database: Database) -> Usage:
        config = workshop.folder / "target.json"
        connection = {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": SCHEMA}
        config.write_text(json.dumps({**connection, **settings}), "utf-8")
        return workshop.run([BIN / program, "--config", config], stdin=feed.singer)

    return load


def _psql(server: Server, workshop: Workshop, feed: Feed, database: Database) -> Usage:
    script = workshop.folder / "load.sql"
    script.write_text(_script(feed), "utf-8")
    return workshop.run([server.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, database.url])


def _script(feed: Feed) -> str:
    columns = ", ".join(f"{name} {kind}" for name, (_, kind) in COLUMNS.items())
    updates = ", ".join(f"{name} = excluded.{name}" for name in list(COLUMNS)[1:])
    return f"""
        SET client_min_messages = warning;
        CREATE SCHEMA IF NOT EXISTS {SCHEMA};
        CREATE TABLE IF NOT EXISTS {SCHEMA}.{STREAM} ({columns}, PRIMARY KEY (id));
        BEGIN;
        CREATE TEMP TABLE stage (LIKE {SCHEMA}.{STREAM}) ON COMMIT DROP;
        \\copy stage FROM '{feed.csv}' WITH (FORMAT csv, NULL '\\N')
        INSERT INTO {SCHEMA}.{STREAM} SELECT * FROM stage ON CONFLICT (id) DO UPDATE SET {updates};
        COMMIT;
    """  # noqa: S608 - names of this file only, for psql to run
