"""What is inside: a file as it is, unpacked from gzip, or the members of a zip archive; told by its first bytes."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from tap_csv_github.exceptions import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_csv_github.content import Content

__all__ = ["BROKEN", "members", "sample_of"]

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""What the standard library raises for an archive that is cut, corrupt, locked or of an unknown kind."""


def members(content: Content) -> Iterator[tuple[str | None, IO[bytes]]]:
    """Each table in a file and its name inside an archive; each is to be read before the next is asked for."""
    kind = content.head(4)
    if kind[:2] == _GZIP:
        with gzip.open(content.open(), "rb") as unpacked:
            yield None, cast("IO[bytes]", unpacked)
    elif kind == _ZIP:
        with zipfile.ZipFile(content.open()) as archive:
            for info in archive.infolist():
                if not info.is_dir() and not info.filename.startswith("__MACOSX/"):
                    with archive.open(info) as member:
                        yield info.filename, member
    else:
        yield None, content.open()


def sample_of(content: Content, most: int) -> bytes:
    """The first unpacked bytes of a file of which perhaps only the beginning is there."""
    head = content.head(most)
    if head[:2] == _GZIP:
        return zlib.decompressobj(wbits=31).decompress(head, most)
    if head[:4] == _ZIP:
        for _, member in members(content):
            return member.read(most)
        return b""
    return head


@contextmanager
def told(path: str) -> Iterator[None]:
    """Let a broken archive be a plain error about this file."""
    try:
        yield
    except BROKEN as error:
        raise FileError(f"{path}: is no whole archive ({type(error).__name__}); replace the file") from None
