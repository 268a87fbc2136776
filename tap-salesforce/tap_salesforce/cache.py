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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Cache", "Kept", "folder_of"]

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
        found: dict[str, Kept] = {}
        with self._opened() as database:
            if database is not None:
                found.update(_rows(database, list(paths)))
        return found

    def keep(self, bodies: Mapping[str, Kept]) -> None:
        """Keep descriptions, in place of older ones of the same path."""
        if not bodies:
            return
        now = int(time.time())
        rows = [(path, kept.modified, now, _packed(kept.body)) for path, kept in bodies.items()]
        with self._opened() as database:
            if database is not None:
                database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", rows)
                database.commit()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        try:
            with contextlib.closing(self._connect()) as database:
                yield database
        except _NoCacheError:
            yield None
        except (OSError, sqlite3.Error) as error:
            logger.warning("the cache %s cannot be used (%s); give another cache_dir", self._path, error)
            self._path = None

    def _connect(self) -> sqlite3.Connection:
        if self._path is None:
            raise _NoCacheError
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)
        database = sqlite3.connect(self._path, timeout=10)
        database.execute(_TABLE)
        return database


class _NoCacheError(Exception):
    pass


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
