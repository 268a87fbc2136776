"""The tables of a file: decoded, divided, with the names of their columns."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tap_csv_github.exceptions import FileError
from tap_csv_github.reading import dialects, encodings
from tap_csv_github.reading.header import column_names
from tap_csv_github.reading.packing import members, sample_of, told
from tap_csv_github.reading.rows import RowReader
from tap_csv_github.reading.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_csv_github.content import Content
    from tap_csv_github.entries import Reading
    from tap_csv_github.reading.rows import Block

__all__ = ["SAMPLE", "Table", "sampled", "tables"]

SAMPLE = 64 * 1024
"""So many bytes tell encoding, dialect and types."""


@dataclass(frozen=True)
class Table:
    """One table of a file: its columns, its place inside an archive, the evidence for how it is read, its rows."""

    path: str
    names: tuple[str, ...]
    member: str | None
    encoding: encodings.Encoding
    dialect: dialects.Dialect
    blocks: Iterator[Block]
    fits_sample: bool = False
    """Whether nothing comes after the sample that was looked at."""
    has_whole_header: bool = True

    @property
    def evidence(self) -> str:
        """How it is read and why, for the log."""
        dialect = self.dialect
        quote = f", escaped by {dialect.escape}" if dialect.escape else ""
        return (
            f"{self.encoding.name} ({self.encoding.evidence}), delimiter {dialect.delimiter!r}, "
            f"quote {dialect.quote!r}{quote} ({dialect.evidence})"
        )


def tables(path: str, content: Content, reading: Reading) -> Iterator[Table]:
    """Every table of a file that has at least a header; each is to be read before the next is asked for."""
    with told(path):
        for member, stream in members(content):
            table = _table(path, member, stream, reading)
            if table is not None:
                yield table


def sampled(path: str, content: Content, reading: Reading) -> Table | None:
    """The first rows of a file of which perhaps only the beginning is there; None if that is less than its header."""
    with told(path):
        head = sample_of(content, SAMPLE)
    table = _table(path, None, io.BytesIO(head), reading)
    return table if table is None or table.fits_sample or table.has_whole_header else None


def _table(path: str, member: str | None, stream: IO[bytes], reading: Reading) -> Table | None:
    sample = stream.read(SAMPLE)
    whole = len(sample) < SAMPLE
    encoding = encodings.named(reading.encoding, sample) if reading.encoding else encodings.detect(sample, whole=whole)
    stream.seek(encoding.mark)
    dialect = dialects.detect(
        _lines(sample[encoding.mark :], encoding, whole=whole)[reading.skip_lines :],
        delimiter=reading.delimiter,
        quote=reading.quote,
        escape=reading.escape,
    )
    reader = RowReader(Text(stream, encoding), dialect)
    reader.skip(reading.skip_lines)
    header = list(reading.columns) or _header(path, reader)
    if not header:
        return None
    reader.width = len(header)
    names, is_whole = column_names(header), reader.has_whole_header
    return Table(path, names, member, encoding, dialect, reader.blocks(), whole, is_whole)


def _lines(sample: bytes, encoding: encodings.Encoding, *, whole: bool) -> list[str]:
    text = sample.decode(encoding.name, "replace")
    lines = io.StringIO(text, newline="").readlines()
    return lines if whole or len(lines) == 1 else lines[:-1]


def _header(path: str, reader: RowReader) -> list[str]:
    try:
        return reader.header()
    except ValueError as error:
        raise FileError(f"{path}: {error}; set quotechar, columns or skip_lines for it") from None
