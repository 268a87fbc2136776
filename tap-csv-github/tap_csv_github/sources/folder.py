"""A folder or a single file, on this machine or wherever fsspec reaches (`s3://…`, `https://…`, `sftp://…`)."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from crmdb_core.exceptions import ConfigError
from crmdb_core.instants import format_instant
from tap_csv_github.content import Content, Spool
from tap_csv_github.exceptions import FileError
from tap_csv_github.sources.source import FoundFile, Listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_csv_github.sources.source import Known

__all__ = ["FolderSource"]

_CHUNK = 1024 * 1024
_STILL = 2.0
"""A file that changed within so many seconds may change again without another time of change: it gets no stamp."""


class FolderSource:
    """All files below a location; only the bytes of those whose stamp changed are read."""

    keeps_versions = False
    is_local = True

    def __init__(self, location: str, options: Mapping[str, Any] | None = None) -> None:
        self.repository = _shown(location)
        self.ref = ""
        try:
            self._fs, root = url_to_fs(location, **(options or {}))
        except (ImportError, ValueError, TypeError) as error:
            raise ConfigError(
                f"location {self.repository}: fsspec cannot open it ({type(error).__name__}); install what it needs"
            ) from None
        self._root = str(root).rstrip("/")

    @property
    def label(self) -> str:
        """The location."""
        return self.repository

    def listing(self, known: Known | None) -> Listing:
        """All files with what changes when they do."""
        del known
        return Listing({each.path: each for each in self._found()})

    def _found(self) -> Iterator[FoundFile]:
        try:
            there = self._fs.find(self._root, detail=True)
            if not there and not self._fs.exists(self._root):
                raise FileNotFoundError
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise FileError(f"{self.label}: cannot be listed ({reason}); check `location`") from None
        for name, info in sorted(there.items()):
            path = name[len(self._root) :].lstrip("/") or name.rpartition("/")[2]
            at = _changed(info)
            stamp = "" if at is None or time.time() - at < _STILL else f"{at!r}/{info.get('size')}"
            updated = "" if at is None else format_instant(dt.datetime.fromtimestamp(at, dt.UTC))
            # without a time of change a store's own tag serves
            stamp = stamp or str(info.get("ETag") or info.get("etag") or "")
            yield FoundFile(path, "", info.get("size"), stamp, updated)

    def read(self, file: FoundFile) -> Content:
        """A local file in place; any other by way of a temporary file."""
        try:
            if isinstance(self._fs, LocalFileSystem):
                path = Path(self._full(file.path))
                content = Content.hashed(lambda: path.open("rb"), path.stat().st_size)
                content.close()  # it opens again when its rows are read: many may wait for that
                return content
            with self._fs.open(self._full(file.path), "rb") as remote:
                return Spool.filled(iter(lambda: remote.read(_CHUNK), b""))
        except (OSError, ValueError) as error:
            raise FileError(f"{file.path}: cannot be read ({_reason(error)})") from None

    def sample(self, file: FoundFile, most: int) -> Content:
        """Its first bytes, or all where that is no more."""
        try:
            with cast("IO[bytes]", self._fs.open(self._full(file.path), "rb")) as opened:
                return Content.of(opened.read(most))
        except OSError as error:
            raise FileError(f"{file.path}: cannot be read ({_reason(error)})") from None

    def earlier(self, sha: str) -> None:
        """None: a folder keeps no versions."""
        del sha

    def _full(self, path: str) -> str:
        return self._root if self._fs.isfile(self._root) else f"{self._root}/{path}"


def _shown(location: str) -> str:
    """The location without what may be secret in a URL."""
    if "://" not in location:
        return location
    return re.sub(r"://[^/@]*@", "://", location.partition("?")[0])


def _changed(info: Mapping[str, Any]) -> float | None:
    """When a file changed, as epoch seconds; stores name it differently, or not at all."""
    for name in ("mtime", "LastModified", "last_modified", "modified", "updated"):
        value = info.get(name)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, dt.datetime):
            return value.timestamp()
    return None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) if isinstance(error, ValueError) else type(error).__name__
