"""Settings: every fault at once, before anything is connected; and no secret in any log."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import subprocess
import sys
import urllib.parse
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_postgres.target import TargetPostgres

from target_crmdb import TargetCrmdb
from target_crmdb.database import open_connection
from target_crmdb.exceptions import ConfigError
from target_crmdb.settings import config_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Singer

HERE: dict[str, Any] = {"host": "127.0.0.1", "user": "me", "database": "crm"}


def faults(**config: Any) -> str:
    with pytest.raises(ConfigValidationError) as caught:
        TargetCrmdb(config=config)
    return "\n".join(caught.value.errors)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, ["no connection", "host", "embedded: true"]),
        ({"embedded": True, "host": "db.example.com"}, ["embedded: true and host"]),
        ({"embedded": True, "sqlalchemy_url": "postgresql://x"}, ["embedded: true and sqlalchemy_url"]),
        ({"host": "db"}, ["set user", "set database"]),
        ({**HERE, "ssl_enable": True, "ssl_mode": "perhaps"}, ["ssl_mode"]),
        ({**HERE, "ssl_client_certificate_enable": True, "ssl_client_private_key": ""}, ["ssl_client_private_key"]),
        (
            {**HERE, "ssh_tunnel": {"enable": True}},
            ["ssh_tunnel.host", "ssh_tunnel.username", "ssh_tunnel.private_key"],
        ),
        (
            {**HERE, "batch_size_rows": "many", "max_columns": 5, "hots": "x"},
            ["batch_size_rows", "max_columns", "hots"],
        ),
    ],
)
def test_contradictory_settings_are_all_named_at_once(config: dict[str, Any], words: list[str]) -> None:
    """C01."""
    text = faults(**config)
    assert [] == [word for word in words if word not in text]


def test_the_command_line_explains_them_and_ends_with_78(load: Loader, tmp_path: Path) -> None:
    """C01: with what was probably meant."""
    done = load.process(tmp_path, sqlalchemy_url=None, hots="db.example.com", batch_size_rows="many")
    assert 78 == done.returncode
    last = done.stderr.decode().splitlines()[-1]
    assert [] == [word for word in ("did you mean host?", "batch_size_rows", "no connection") if word not in last]
    assert b"Traceback" not in done.stderr


def test_numbers_may_come_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meltano hands numbers with a point over as text; variables are text anyway."""
    assert TargetCrmdb(config={**HERE, "state_interval": "2.5"}).config["state_interval"] == Decimal("2.5")
    assert "state_interval" in faults(**HERE, state_interval="soon")
    monkeypatch.setenv("TARGET_CRMDB_LOCK_TIMEOUT", "7")
    monkeypatch.setenv("TARGET_CRMDB_BATCH_SIZE_ROWS", "5")
    config = TargetCrmdb(config=dict(HERE), parse_env_config=True).config
    assert (config["lock_timeout"], config["batch_size_rows"]) == (7, 5)


def test_the_settings_of_target_postgres_are_kept() -> None:
    """Under their names and with their types; what is secret there is secret here."""
    ours = config_schema()["properties"]
    for name, theirs in TargetPostgres.config_jsonschema["properties"].items():
        assert theirs["type"] == ours[name]["type"], name
        assert set(theirs.get("properties", ())) == set(ours[name].get("properties", ())), name
        assert bool(ours[name].get("secret")) >= bool(theirs.get("secret")), name


def test_importing_the_target_imports_nothing_that_it_rarely_needs() -> None:
    """SQLAlchemy and SSH cost more time and memory than all the rest."""
    code = "import sys, target_crmdb.target; print({'sqlalchemy', 'paramiko', 'target_postgres'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "set()" == done.stdout.strip()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"sqlalchemy_url": "no url, canary-12345"}, 78, "is not one of Postgres"),
        ({"sqlalchemy_url": "mysql://me:canary-12345@h/d"}, 78, "is not one of Postgres"),
        ({"sqlalchemy_url": "postgresql://me:canary-12345@127.0.0.1:1/d", "connect_timeout": 0}, 75, "does not answer"),
        ({"sqlalchemy_url": "postgresql://me:canary-12345@h/d?nonsense=1"}, 78, "parameter"),
    ],
)
def test_connections_that_cannot_be_made(
    load: Loader, tmp_path: Path, change: dict[str, Any], code: int, words: str
) -> None:
    """T07: one plain line; the password is not in it."""
    done = load.process(tmp_path, **change)
    assert code == done.returncode, done.stderr
    assert words in done.stderr.decode().splitlines()[-1]
    assert b"canary" not in done.stderr


def test_embedded_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "target_crmdb.embedded", None)
    config = dict(TargetCrmdb(config={"embedded": True, "embedded_data_dir": str(tmp_path)}).config)
    with contextlib.ExitStack() as stack, pytest.raises(ConfigError, match=r"crmdb-target-crmdb\[embedded\]"):
        open_connection(config, stack)


def test_an_unknown_database_is_78(load: Loader, tmp_path: Path) -> None:
    name = load.database.query("SELECT current_database()")[0][0]
    url = load.database.sqlalchemy_url.replace(f"/{name}", "/no_such_database")
    done = load.process(tmp_path, sqlalchemy_url=url)
    assert (78, True) == (done.returncode, b"no_such_database" in done.stderr)


def test_a_database_that_starts_late_is_waited_for(load: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """T07, with a clock that does not run: the first two attempts are refused."""

    original = psycopg.connect
    waits: list[float] = []
    refusals = iter([True, True, False])

    def connect(*args: Any, **options: Any) -> Any:
        if next(refusals):
            raise psycopg.OperationalError("connection refused")
        return original(*args, **options)

    monkeypatch.setattr(psycopg, "connect", connect)
    config = dict(TargetCrmdb(config=load.config).config)
    with contextlib.ExitStack() as stack:
        connection = open_connection(config, stack, sleep=waits.append)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert 2 == len(waits)


def forms_of(secret: str) -> Iterator[str]:
    """A secret as a log might show it."""
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode()
    yield json.dumps(secret)[1:-1]


def test_no_secret_and_no_value_in_any_log_at_debug_level(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """C02: a run that goes well, one with rejects of every kind, and one that fails."""
    password, value = 'p@ss/word "canary" 42', "canary.person@example.com"
    url = load.database.sqlalchemy_url.replace("postgres@", f"postgres:{urllib.parse.quote(password, safe='')}@")
    assert url != load.database.sqlalchemy_url
    lines: list[Any] = [
        singer.schema({"v": singer.integer, "w": singer.number}),
        singer.record({"id": value, "v": value}),
        singer.record({"id": value, "v": 2}),
        b'{"type":"RECORD","stream":"contacts","record":{"id":"%s","w":1e200000}}\n' % value.encode(),
        b'{"type":"RECORD","stream":"contacts","record":{"id":"%s"\n' % value.encode(),
        singer.record({"id": value}, stream="unknown"),
        singer.state({value: value}),
    ]
    runs: list[dict[str, Any]] = [{"max_protocol_errors": 5}, {}, {"debug": True, "max_rejects": 0}]
    for settings in runs:
        done = load.process(tmp_path, *lines, env={"LOGLEVEL": "DEBUG"}, sqlalchemy_url=url, **settings)
        shown = done.stderr.decode()
        assert "DEBUG" in shown
        assert [] == [form for secret in (password, value) for form in forms_of(secret) if form in shown]


def test_a_wrong_type_of_secret_does_not_show_it(
    load: Loader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        done = load.process(tmp_path, sqlalchemy_url=None, **HERE, password=9876543210)
    assert 78 == done.returncode
    assert b"9876543210" not in done.stderr
    assert b"password" in done.stderr
