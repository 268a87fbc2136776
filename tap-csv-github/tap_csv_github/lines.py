"""The records of one table: as RECORD lines put together from bytes, or as dicts where stream maps are to see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_csv_github.lineage import EXTRA, LINE, ROW
from tap_csv_github.shaping import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_csv_github.shaping import Row

__all__ = ["Batch"]

_ROW = b'%%b,"%b":%%d,"%b":%%d' % (LINE.encode(), ROW.encode())
_EXTRA = b',"%b":' % EXTRA.encode()


@dataclass(frozen=True)
class Batch:
    """Rows of one table; `constant` is the same in all of them."""

    names: Sequence[str]
    rows: Sequence[Row]
    constant: Mapping[str, Any]

    def records(self) -> Iterator[dict[str, Any]]:
        """As Singer records."""
        for line, number, values, _, extra in self.rows:
            own = dict(zip(self.names, values, strict=True))
            yield {**own, LINE: line, ROW: number, EXTRA: extra, **self.constant}

    def lines(self, stream: str, version: int | None, extracted: str) -> list[bytes]:
        """As RECORD messages; the batch has at least one column."""
        head = b'{"type":"RECORD","stream":%b,"record":' % encoded(stream)
        of_version = b"" if version is None else b',"version":%d' % version
        tail = b',%b}%b,"time_extracted":"%b"}\n' % (encoded(self.constant)[1:-1], of_version, extracted.encode())
        plain = b"%b%bnull%b" % (_ROW, _EXTRA, tail.replace(b"%", b"%%"))
        template = head.replace(b"%", b"%%") + plain
        return [
            template % (body[:-1], line, number)
            if extra is None
            else head + _ROW % (body[:-1], line, number) + _EXTRA + encoded(extra) + tail
            for line, number, _, body, extra in self.rows
        ]
