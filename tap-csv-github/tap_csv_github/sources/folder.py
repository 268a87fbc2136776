"""A folder or a single file, on this machine or wherever fsspec reaches (`s3://…`, `https://…`, `sftp://…`)."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from crmdb_core.exceptions import ConfigError
from crmdb_core.instants import format_instant
from tap_csv_github.content import Content, Spool, WrittenMeanwhileError
from tap_csv_github.entries import shown
from tap_csv_github.exceptions import FileError
from tap_csv_github.sources.lfs import LONGEST_POINTER, pointer_in
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
        self.repository = shown(location)
        self.ref = ""
        try:
            self._fs, root = url_to_fs(location, **(options or {}))
        except ImportError as error:  # its text names packages
            raise ConfigError(f"location {self.repository}: fsspec cannot open it ({error})") from None
        except (ValueError, TypeError) as error:
            raise ConfigError(
                f"location {self.repository}: fsspec cannot open it ({type(error).__name__}); check storage_options too"
            ) from None
        self._root = str(root).rstrip("/")
        self._names: dict[str, str] = {}

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
            is_there = bool(there) or self._fs.exists(self._root)
        except Exception as error:  # noqa: BLE001 - each store has errors of its own, with addresses in their texts
            raise FileError(f"{self.label}: cannot be listed ({_reason(error)}); check `location`") from None
        if not is_there:
            raise FileError(f"{self.label}: is not there; check `location`")
        for name, info in sorted(there.items()):
            path = name[len(self._root) :].lstrip("/") or _plain_name(name, is_url="://" in self.repository)
            self._names[path] = (
                name  # asking the store what its root is would not do: a web server has pages of folders
            )
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
            else:
                with self._fs.open(self._full(file.path), "rb") as remote:
                    content = Spool.filled(iter(lambda: remote.read(_CHUNK), b""))
        except Exception as error:  # noqa: BLE001 - as above
            raise FileError(f"{file.path}: cannot be read ({_reason(error)})") from None
        _refuse_pointer(file.path, content)
        if isinstance(self._fs, LocalFileSystem):
            content.close()  # it opens again when its rows are read: many may wait for that
        return content

    def sample(self, file: FoundFile, most: int) -> Content:
        """Its first bytes, or all where that is no more."""
        try:
            with cast("IO[bytes]", self._fs.open(self._full(file.path), "rb")) as opened:
                content = Content.of(opened.read(most))
        except Exception as error:  # noqa: BLE001 - as above
            raise FileError(f"{file.path}: cannot be read ({_reason(error)})") from None
        _refuse_pointer(file.path, content)
        return content

    def earlier(self, sha: str) -> None:
        """None: a folder keeps no versions."""
        del sha

    def _full(self, path: str) -> str:
        return self._names.get(path, f"{self._root}/{path}")


def _plain_name(name: str, *, is_url: bool) -> str:
    """The name of a file that is a location by itself; the query of a URL may be a signature."""
    return (name.partition("?")[0] if is_url else name).rpartition("/")[2]


def _changed(info: Mapping[str, Any]) -> float | None:
    """When a file changed, as epoch seconds; stores name it differently, or not at all."""
    for name in ("mtime", "LastModified", "last_modified", "modified", "updated"):
        value = info.get(name)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, dt.datetime):
            return value.timestamp()
    return None


def _refuse_pointer(path: str, content: Content) -> None:
    if content.size < LONGEST_POINTER and pointer_in(content.head(LONGEST_POINTER)):
        content.close()
        raise FileError(f"{path}: is a Git LFS pointer, not what it stands for; run `git lfs pull` in its folder")


def _reason(error: Exception) -> str:
    """What may be told of an error: its text may hold an address with keys in it."""
    if isinstance(error, WrittenMeanwhileError):
        return str(error)
    if isinstance(error, OSError) and type(error).__module__ == "builtins" and error.errno is not None:
        return os.strerror(error.errno)
    return type(error).__name__
