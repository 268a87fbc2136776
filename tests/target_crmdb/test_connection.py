"""How settings become a connection: MeltanoLabs' URL, SSL files and tunnel, then libpq directly."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from target_crmdb import TargetCrmdb
from target_crmdb.database import embedded_folder, open_connection
from target_crmdb.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader

HERE: dict[str, Any] = {"host": "db.example.com", "port": 6543, "user": "me@work", "database": "crm"}


@pytest.fixture
def conninfo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives what libpq would be told."""

    def ask(**config: Any) -> dict[str, Any]:
        asked: list[str] = []

        def connect(text: str, **_: Any) -> Any:
            asked.append(text)
            raise psycopg.OperationalError("password authentication failed, as far as this test goes")

        monkeypatch.setattr(psycopg, "connect", connect)
        with ExitStack() as stack, pytest.raises(ConfigError):
            open_connection(dict(TargetCrmdb(config=config).config), stack)
        return dict(conninfo_to_dict(asked[0]))

    return ask


def test_parts(conninfo: Any) -> None:
    expected = {"host": "db.example.com", "port": "6543", "user": "me@work", "password": "p@ss w/'\\", "dbname": "crm"}
    assert expected == conninfo(**HERE, password="p@ss w/'\\")


def test_a_password_is_not_needed_where_the_server_asks_for_none(conninfo: Any) -> None:
    assert "password" not in conninfo(**HERE)


def test_ssl_files_by_path_and_by_content(conninfo: Any, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_text("certificate", "utf-8")
    told = conninfo(
        **HERE,
        ssl_enable=True,
        ssl_mode="verify-full",
        ssl_certificate_authority=str(root),
        ssl_client_certificate_enable=True,
        ssl_client_certificate="-----BEGIN CERTIFICATE-----",
        ssl_client_private_key="-----BEGIN PRIVATE " + "KEY-----",
        ssl_storage_directory=str(tmp_path),
    )
    assert ("verify-full", str(root)) == (told["sslmode"], told["sslrootcert"])
    key = Path(told["sslkey"])
    assert (0o600, "-----BEGIN PRIVATE " + "KEY-----") == (key.stat().st_mode & 0o777, key.read_text("utf-8"))


def test_a_url_wins_over_the_parts(conninfo: Any) -> None:
    told = conninfo(**HERE, sqlalchemy_url="postgresql+psycopg://you@other/d?sslmode=require&host=/tmp/socket")
    assert {"user": "you", "dbname": "d", "sslmode": "require", "host": "/tmp/socket"} == told


def test_the_session_is_set_up_for_exact_loading(load: Loader) -> None:
    with ExitStack() as stack:
        connection = open_connection(dict(TargetCrmdb(config=load.config).config), stack)
        names = ("TimeZone", "jit", "client_encoding", "lock_timeout", "search_path")
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    assert [("UTC",), ("off",), ("UTF8",), ("30s",), ('"_crmdb"',)] == shown


def test_the_embedded_folder_is_the_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tmp_path / "output" / "pgdata" == embedded_folder({}, {})
    assert Path("/project/output/pgdata") == embedded_folder({}, {"MELTANO_PROJECT_ROOT": "/project"})
    given = {"embedded_data_dir": os.fspath(tmp_path / "mine")}
    assert tmp_path / "mine" == embedded_folder(given, {"MELTANO_PROJECT_ROOT": "/project"})
