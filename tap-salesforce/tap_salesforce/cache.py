"""Descriptions of objects on disk, so that only those that changed are sent again. No record value is in them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["Cache", "Kept", "folder_of"]

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

_NOWHERE = "none"
_FORM = 1
"""Of what is kept; another one begins anew."""
# Nothing says that a changed permission of the user moves the date of a description, so none is trusted for longer.
_LONGEST = 7 * 24 * 3600
_TABLE = "CREATE TABLE IF NOT EXISTS kept (path TEXT PRIMARY KEY, modified TEXT, at INTEGER, body BLOB)"
_AT_ONCE = 500


@dataclass(frozen=True)
class Kept:
    """A description as it was sent, and when it was last modified by then."""

    modified: str
    body: Any


def folder_of(setting: str | None) -> Path | None:
    """Where descriptions are kept: the folder of the setting, else the user's cache folder; None for `none`."""
    if setting == _NOWHERE:
        return None
    if setting:
        return Path(setting)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tap-salesforce"


class Cache:
    """A file for one user of one org and one API version (`key`), readable by its owner alone.

    A cache that cannot be used is told of once, and costs only what it would have saved.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        self._path = None if folder is None else folder / f"{key}-{_FORM}.sqlite"

    def find(self, paths: Iterable[str]) -> dict[str, Kept]:
        """What is kept for these paths, unless it is a week old."""
        return self._used(lambda database: dict(_rows(database, list(paths))), {})

    def keep(self, bodies: Mapping[str, Kept]) -> None:
        """Keep descriptions, in place of older ones of the same path."""
        now = int(time.time())
        rows = [(path, kept.modified, now, _packed(kept.body)) for path, kept in bodies.items()]
        if rows:
            self._used(lambda database: _insert(database, rows), None)

    def _used(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        if self._path is None:
            return otherwise
        try:
            with contextlib.closing(_opened(self._path)) as database:
                return work(database)
        except (OSError, sqlite3.Error) as error:
            logger.warning("the cache %s cannot be used (%s); give another cache_dir", self._path, error)
            self._path = None
            return otherwise


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(path, timeout=10)
    try:
        database.execute(_TABLE)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _insert(database: sqlite3.Connection, rows: Iterable[tuple[str, str, int, bytes]]) -> None:
    with database:
        database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", rows)


def _rows(database: sqlite3.Connection, paths: Sequence[str]) -> Iterator[tuple[str, Kept]]:
    oldest = int(time.time()) - _LONGEST
    for start in range(0, len(paths), _AT_ONCE):
        part = paths[start : start + _AT_ONCE]
        marks = ",".join("?" * len(part))
        found = database.execute(
            f"SELECT path, modified, body FROM kept WHERE at > ? AND path IN ({marks})",  # noqa: S608 - marks only
            (oldest, *part),
        )
        for path, modified, body in found:
            with contextlib.suppress(zlib.error, ValueError):
                yield path, Kept(modified, json.loads(zlib.decompress(body)))


def _packed(body: Any) -> bytes:
    return zlib.compress(json.dumps(body, separators=(",", ":"), default=str).encode(), 1)
