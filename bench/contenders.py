"""Who loads: psql's COPY as the floor, target-crmdb, and the other tools at their usual and at their fastest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.environments import DLT, PIPELINEWISE
from bench.feeds import UNCHANGED, Feed
from bench.mapped import MAPPING
from bench.measure import BIN, Usage, Workshop
from bench.shape import KEY
from bench.table import EXACTLY, SCHEMA, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.database import Database, Server
    from bench.environments import Environment

    Loader = Callable[[Workshop, Feed, Database, str], Usage]

FLOOR = "psql"
OURS = "target-crmdb"
WITHOUT_RULES = "target-crmdb, no rules"
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
# pipelinewise-target-postgres writes its CSV so
_EMPTY_IS_NULL = Reading(
    r"replace(nullif({}::text, ''), E'\n', '\n')",
    r"an empty text that became NULL and a line break that became the two characters \n count as equal",
)


@dataclass(frozen=True)
class Contender:
    """A name, how it loads a feed as one step, and how its table is read; perhaps an environment that it needs."""

    name: str
    load: Loader
    reading: Reading = EXACTLY
    environment: Environment | None = None


def psql(server: Server) -> Contender:
    """Copy and merge by plain SQL: what no tool can do without."""

    def load(workshop: Workshop, feed: Feed, database: Database, step: str) -> Usage:
        script = workshop.folder / "load.sql"
        script.write_text(_script(feed, _filtered(feed) if step == UNCHANGED else "SELECT * FROM stage"), "utf-8")
        return workshop.run([server.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, database.url])

    return Contender(FLOOR, load)


def ours() -> Contender:
    """target-crmdb with its defaults."""
    return Contender(OURS, _singer("target-crmdb", {}))


def ours_mapped() -> Contender:
    """target-crmdb with a mapping of twenty fields, nine of which are checked and get a normal form."""
    return Contender(OURS, _singer("target-crmdb", {"source": "bench", "mapping": MAPPING}))


def ours_without_rules() -> Contender:
    """The same, and nothing else: neither business rules nor a measure of quality."""
    settings = {"source": "bench", "mapping": MAPPING, "rules": {"*": "off"}, "measure_quality": False}
    return Contender(WITHOUT_RULES, _singer("target-crmdb", settings))


def peer() -> Contender:
    """MeltanoLabs' target as it comes."""
    return Contender(PEER, _singer("target-postgres", {}))


def fast_peer() -> Contender:
    """MeltanoLabs' target with all that makes it faster."""
    return Contender(FAST_PEER, _singer("target-postgres", _FASTEST))


def pipelinewise() -> Contender:
    """pipelinewise-target-postgres as it comes, which is without validation."""

    def load(workshop: Workshop, feed: Feed, database: Database, _: str) -> Usage:
        connection = {name: database.parts[name] for name in ("host", "port", "user", "dbname")}
        # it insists on a password; the server asks for none
        config = _written(workshop, {**connection, "password": "none", "default_target_schema": SCHEMA})
        return workshop.run([PIPELINEWISE.program("target-postgres"), "--config", config], stdin=feed.singer)

    return Contender("pipelinewise-target-postgres, defaults", load, _EMPTY_IS_NULL, PIPELINEWISE)


def dlt() -> Contender:
    """Dlt by parquet and ADBC, which does not read Singer: a reader of our own stands before it."""

    def load(workshop: Workshop, feed: Feed, database: Database, _: str) -> Usage:
        parts = database.parts
        url = f"postgresql://{parts['user']}:none@{quote(parts['host'], safe='')}:{parts['port']}/{parts['dbname']}"
        program = Path(__file__).parent / "peers" / "dlt_load.py"
        command: list[str | Path] = [DLT.program("python"), "-I", program, feed.singer, url, SCHEMA, database.folder]
        return workshop.run(command, cwd=database.folder, env={"RUNTIME__DLTHUB_TELEMETRY": "false"})

    return Contender("dlt, Arrow → parquet → ADBC, upsert", load, environment=DLT)


def _singer(program: str, settings: Mapping[str, Any]) -> Loader:
    def load(workshop: Workshop, feed: Feed, database: Database, _: str) -> Usage:
        connection = {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": SCHEMA}
        config = _written(workshop, {**connection, **settings})
        return workshop.run([BIN / program, "--config", config], stdin=feed.singer)

    return load


def _written(workshop: Workshop, settings: Mapping[str, Any]) -> Path:
    config = workshop.folder / "target.json"
    config.write_text(json.dumps(settings), "utf-8")
    return config


def _script(feed: Feed, rows: str) -> str:
    table = f"{SCHEMA}.{feed.shape.stream}"
    columns = ", ".join(f"{name} {one.kind}" for name, one in feed.shape.columns.items())
    updates = ", ".join(f"{name} = excluded.{name}" for name in feed.shape.columns if name != KEY)
    return f"""
        SET client_min_messages = warning;
        SET jit = off;
        SET work_mem = '64MB';
        CREATE SCHEMA IF NOT EXISTS {SCHEMA};
        CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({KEY}));
        BEGIN;
        CREATE TEMP TABLE stage (LIKE {table}) ON COMMIT DROP;
        \\copy stage FROM '{feed.csv}' WITH (FORMAT csv, NULL '\\N')
        INSERT INTO {table} {rows} ON CONFLICT ({KEY}) DO UPDATE SET {updates};
        COMMIT;
    """


def _filtered(feed: Feed) -> str:
    """Only the rows that are new or differ."""
    staged, kept = (", ".join(f"{side}.{name}" for name in feed.shape.columns) for side in ("stage", "kept"))
    return f"""
        SELECT stage.* FROM stage LEFT JOIN {SCHEMA}.{feed.shape.stream} AS kept USING ({KEY})
        WHERE kept.{KEY} IS NULL OR ({staged}) IS DISTINCT FROM ({kept})
    """  # noqa: S608 - as in _script
