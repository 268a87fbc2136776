"""The bytes of one version of a file: in memory if they are few, else in a temporary file; named as git names them."""

from __future__ import annotations

import hashlib
import io
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from tap_csv_github.exceptions import FileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Content", "Spool", "WrittenMeanwhileError"]

_IN_MEMORY = 128 * 1024
_CHUNK = 1024 * 1024


class WrittenMeanwhileError(Exception):
    """A file is of another length than it was a moment ago."""


class Content:
    """A whole content that can be read again and again from its beginning; closed once, by whoever made it."""

    def __init__(self, opener: Callable[[], IO[bytes]], size: int, sha: str) -> None:
        self._opener = opener
        self._file: IO[bytes] | None = None
        self.size = size
        self.sha = sha

    @classmethod
    def of(cls, data: bytes) -> Content:
        """The content of these bytes."""
        return Spool.filled([data])

    @classmethod
    def hashed(cls, opener: Callable[[], IO[bytes]], size: int) -> Content:
        """The content that can be opened so; raises WrittenMeanwhileError if it is of another size by now."""
        digest = blob_digest(size)
        found = 0
        content = cls(opener, size, "")
        file = content.open()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            found += len(chunk)
        content.sha = digest.hexdigest()
        if found != size:
            content.close()
            raise WrittenMeanwhileError("it was written to while it was read")
        return content

    def open(self) -> IO[bytes]:
        """The content from its beginning; one reader at a time."""
        if self._file is None:
            self._file = self._opener()
        self._file.seek(0)
        return self._file

    def head(self, most: int) -> bytes:
        """Its first bytes."""
        return self.open().read(most)

    def sha256(self) -> str:
        """Its SHA-256, by which Git LFS names it."""
        file, digest = self.open(), hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the memory or the temporary file."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Spool:
    """Takes bytes as they come; above 128 kB they go to a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self.size = 0

    @classmethod
    def filled(cls, chunks: Iterable[bytes]) -> Content:
        """The content of these chunks."""
        spool = cls()
        for chunk in chunks:
            spool.write(chunk)
        return spool.content()

    def write(self, chunk: bytes) -> None:
        """Take some more; FileError where the disk does not."""
        with _full_told():
            self._write(chunk)

    def _write(self, chunk: bytes) -> None:
        if self.size <= _IN_MEMORY < self.size + len(chunk):
            few = self._file
            few.seek(0)
            self._file = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - lives as long as its Content
            self._file.write(few.read())
        self._file.write(chunk)
        self.size += len(chunk)

    def content(self) -> Content:
        """All that came."""
        with _full_told():
            return Content.hashed(lambda: self._file, self.size)


@contextmanager
def _full_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise FileError(f"the folder for temporary files took no more of it ({why}); see TMPDIR") from None


def blob_digest(size: int) -> hashlib._Hash:
    """The beginning of git's hash of a content of so many bytes."""
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
