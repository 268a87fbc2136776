"""From the fake HubSpot: read alone, and the whole line by pipe and by `meltano run`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml

from bench.fake_server import served
from bench.measure import BIN, Usage, Workshop
from bench.table import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.database import Database, Server

BARE = "fake → loop over `requests` → nothing"
TAP = "fake → tap-hubspot → null"
PIPE = "fake → tap-hubspot \\| target-crmdb → Postgres"
PEER_PIPE = "fake → tap-hubspot \\| target-postgres, defaults → Postgres"
MELTANO = "fake → `meltano run tap-hubspot target-crmdb` → Postgres"
_BESIDE = {BARE: "", TAP: BARE, PIPE: TAP, PEER_PIPE: PIPE, MELTANO: PIPE}
_PROPERTIES = 25
_TOKEN = "test-token"  # noqa: S105 - the fake's


@dataclass(frozen=True)
class Sync:
    """One way of moving all contacts, once; `beside` names the one that it is compared with."""

    what: str
    beside: str
    repeat: int
    records: int
    usage: Usage


@dataclass(frozen=True)
class Bench:
    """What the ways have in common: the CRM, the server, the files."""

    workshop: Workshop
    server: Server
    url: str
    contacts: int

    def prepare(self) -> None:
        """Write the tap's settings and a catalog of contacts alone; check that it emits every record."""
        self._write("tap.json", self._tap_settings())
        discovered = self.workshop.folder / "discovered.json"
        self.workshop.run([BIN / "tap-hubspot", "--config", self._file("tap.json"), "--discover"], stdout=discovered)
        catalog = json.loads(discovered.read_text("utf-8"))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] == "contacts"
        self._write("catalog.json", catalog)
        emitted = self.workshop.folder / "emitted.singer"
        self.workshop.run(self._tap(), stdout=emitted)
        with emitted.open("rb") as lines:
            found = sum(1 for line in lines if b'"type":"RECORD"' in line[:20])
        _expect("tap-hubspot", self.contacts, found)
        self._write_project()
        self._meltano("warm")  # makes Meltano's own database

    def measure(self, what: str, repeat: int) -> Sync:
        """Go one of the ways."""
        ways: dict[str, Callable[[], Usage]] = {
            BARE: self._bare,
            TAP: lambda: self.workshop.run(self._tap()),
            PIPE: lambda: self._pipe("target-crmdb"),
            PEER_PIPE: lambda: self._pipe("target-postgres"),
            MELTANO: lambda: self._meltano(f"repeat-{repeat}"),
        }
        usage = ways[what]()
        print(f"  {what}: {self.contacts / usage.seconds:,.0f} records/s", flush=True)
        return Sync(what, _BESIDE[what], repeat, self.contacts, usage)

    def _bare(self) -> Usage:
        counted = self.workshop.folder / "counted"
        script = Path(__file__).parent / "bare_read.py"
        usage = self.workshop.run([sys.executable, script, self.url, _TOKEN], stdout=counted)
        _expect("the bare loop", self.contacts, int(counted.read_text("utf-8")))
        return usage

    def _pipe(self, target: str) -> Usage:
        with self.server.database() as database:
            self._write("target.json", _target_settings(database))
            usage = self.workshop.pipe(self._tap(), [BIN / target, "--config", self._file("target.json")])
            self._check(target, database)
        return usage

    def _meltano(self, state: str) -> Usage:
        command: list[str | Path] = [
            BIN / "meltano",
            "run",
            f"--state-id-suffix={state}",
            "tap-hubspot",
            "target-crmdb",
        ]
        with self.server.database() as database:
            settings = {f"TARGET_CRMDB_{name.upper()}": value for name, value in _target_settings(database).items()}
            usage = self.workshop.run(command, cwd=self.workshop.folder / "project", env=settings)
            self._check("meltano run", database)
        return usage

    def _check(self, who: str, database: Database) -> None:
        with psycopg.connect(database.url) as connection:
            row = connection.execute(f"SELECT count(DISTINCT id), count(*) FROM {SCHEMA}.contacts").fetchone()  # noqa: S608 - a constant
        _expect(who, (self.contacts, self.contacts), row)

    def _tap_settings(self) -> dict[str, Any]:
        # the fake has no limits here, so the tap may search as fast as it can; HubSpot allows five searches a second
        return {"api_url": self.url, "access_token": _TOKEN, "searches_per_second": 100_000}

    def _tap(self) -> list[str | Path]:
        return [BIN / "tap-hubspot", "--config", self._file("tap.json"), "--catalog", self._file("catalog.json")]

    def _write_project(self) -> None:
        """Make a Meltano project of the same programs: its plugins are those beside this Python, not installed anew."""
        project = self.workshop.folder / "project"
        project.mkdir()
        tap = {
            "name": "tap-hubspot",
            "namespace": "tap_hubspot",
            "executable": str(BIN / "tap-hubspot"),
            "capabilities": ["catalog", "discover", "state"],
            "config": self._tap_settings(),
            "select": ["contacts.*", "contacts.properties.*"],
        }
        target = {
            "name": "target-crmdb",
            "namespace": "target_crmdb",
            "executable": str(BIN / "target-crmdb"),
            "settings": [{"name": name} for name in ("sqlalchemy_url", "default_target_schema")],
        }
        content = {
            "send_anonymous_usage_stats": False,
            "cli": {"disable_version_check": True},
            "default_environment": "bench",
            "environments": [{"name": "bench"}],
            "plugins": {"extractors": [tap], "loaders": [target]},
        }
        (project / "meltano.yml").write_text(yaml.safe_dump(content), "utf-8")

    def _file(self, name: str) -> Path:
        return self.workshop.folder / name

    def _write(self, name: str, content: object) -> None:
        path = self._file(name)
        path.write_text(json.dumps(content), "utf-8")
        path.chmod(0o600)


def measure_syncing(workshop: Workshop, server: Server, contacts: int, repeats: int) -> list[Sync]:
    """Go all ways in turn, in changing order; refuse a run in which a record is missing."""
    with served(workshop.folder, contacts=contacts, properties=_PROPERTIES) as fake:
        bench = Bench(workshop, server, fake.url, contacts)
        bench.prepare()
        return [bench.measure(what, repeat) for repeat in range(repeats) for what in _turn(repeat)]


def _turn(repeat: int) -> Sequence[str]:
    return list(_BESIDE) if repeat % 2 == 0 else list(_BESIDE)[::-1]


def _target_settings(database: Database) -> dict[str, str]:
    return {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": SCHEMA}


def _expect(who: str, wanted: object, found: object) -> None:
    if found != wanted:
        raise SystemExit(f"{who}: {found} contacts instead of {wanted}")
