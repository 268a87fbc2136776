"""The records of the files that a BATCH message names, one by one as JSON text; a file is never whole in memory.

BATCH is the SDK's extension of Singer (https://sdk.meltano.com/en/latest/batch.html): the message names files, each
with one record per line (jsonl, plain or gzip) or as Parquet. The files stay where they are, as with the SDK's target.
"""

import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import msgspec
from singer_sdk.helpers._batch import StorageTarget
from upath import UPath

from target_crmdb.exceptions import BrokenMessageError, ConfigError, CrmdbError
from target_crmdb.settings import Config

_BUFFER = 2**18

_Read = Callable[[IO[bytes], ExitStack], Iterator[bytes]]
"""Yields the records of an open file; what it opens besides goes to the stack."""


@dataclass(frozen=True)
class BatchMessage:
    """A BATCH message; its encoding is judged when its files are opened."""

    stream: str
    format: str
    compression: str | None
    manifest: Sequence[str]
    version: int | None = None
    time_extracted: str | None = None

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "BatchMessage":
        """Read a decoded message; raises BrokenMessageError if it lacks what it must have."""
        stream, encoding, manifest = (message.get(name) for name in ("stream", "encoding", "manifest"))
        if not (isinstance(stream, str) and isinstance(encoding, dict) and isinstance(manifest, list)):
            raise BrokenMessageError("A BATCH message lacks its stream, its encoding or its manifest")
        if not all(isinstance(url, str) for url in manifest):
            raise BrokenMessageError("The manifest of a BATCH message is not a list of files", stream=stream)
        version, extracted = message.get("version"), message.get("time_extracted")
        return cls(
            stream,
            str(encoding.get("format")),
            encoding.get("compression"),
            manifest,
            version if isinstance(version, int) else None,
            extracted if isinstance(extracted, str) else None,
        )

    def as_record(self, text: bytes) -> bytes:
        """Write one of its records as the line of a RECORD message, so that it can be loaded again by itself."""
        return self._head + text + b"}"

    @cached_property
    def _head(self) -> bytes:
        around: dict[str, Any] = {"type": "RECORD", "stream": self.stream}
        around |= {"version": self.version} if self.version is not None else {}
        around |= {"time_extracted": self.time_extracted} if self.time_extracted is not None else {}
        return msgspec.json.encode(around)[:-1] + b',"record":'


def read_records(batch: BatchMessage, config: Config) -> Iterator[bytes]:
    """Yield the JSON text of every record of every file, in order; a text may be broken, it is not looked at.

    Raises CrmdbError, naming the file, where one is missing or broken off: what came before it may be committed, but
    no STATE that speaks of it.
    """
    read = _reader_of(batch)
    for url in batch.manifest:
        try:
            with ExitStack() as stack:
                yield from read(stack.enter_context(_open(url, config)), stack)
        except CrmdbError:
            raise
        except ImportError as error:  # fsspec, of a file system that is an extra
            raise ConfigError(f"Batch file {_shown(url)} needs a package that is not there: {error}") from error
        except Exception as error:  # whatever a file system or a format may raise; its text may quote values
            raise CrmdbError(
                f"Batch file {_shown(url)} of stream {batch.stream} cannot be read ({type(error).__name__}); run the "
                "tap again, STATE was not advanced"
            ) from error


def _reader_of(batch: BatchMessage) -> _Read:
    if batch.format == "parquet":
        from target_crmdb.parquet import read_parquet  # noqa: PLC0415 - an extra; says so itself if it is missing

        return read_parquet
    if batch.format != "jsonl" or batch.compression not in {None, "none", "gzip"}:
        raise CrmdbError(
            f"A BATCH of stream {batch.stream} has the encoding {batch.format}, {batch.compression}; set the tap's "
            "batch_config to jsonl (compression gzip or none) or parquet"
        )
    return _read_gzip if batch.compression == "gzip" else _read_lines


def _open(url: str, config: Config) -> IO[bytes]:
    """Open a file where the SDK would look for it, but without making folders or beginning transactions there."""
    head, name = StorageTarget.split_url(url)
    setting = (config.get("batch_config") or {}).get("storage") or {}
    storage = StorageTarget.from_dict(setting) if setting.get("root") else StorageTarget.from_url(head)
    path = UPath(storage.root, **storage.params).resolve() / name
    if path.protocol in {"", "file", "local"} and not path.exists():
        # the SDK writes the URL of a bare folder percent-encoded, and one that begins with file:// as it is
        path = UPath(unquote(str(path)))
    file: IO[bytes] = path.open("rb")
    return file


def _read_lines(file: IO[bytes], _stack: ExitStack) -> Iterator[bytes]:
    for line in file:
        if not line.isspace():
            yield line.rstrip(b"\r\n")


def _read_gzip(file: IO[bytes], stack: ExitStack) -> Iterator[bytes]:
    unpacked = stack.enter_context(gzip.GzipFile(fileobj=file))
    yield from _read_lines(stack.enter_context(io.BufferedReader(unpacked, _BUFFER)), stack)


def _shown(url: str) -> str:
    """Give a URL without user, password and query, which may hold secrets."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
