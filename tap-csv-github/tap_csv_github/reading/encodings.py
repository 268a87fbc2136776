"""Which encoding a file is in, and why that is believed."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

__all__ = ["CP1252", "Encoding", "detect", "named"]

CP1252 = "cp1252"
_BOMS = (
    # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_SHARE = 0.3


@dataclass(frozen=True)
class Encoding:
    """A codec, how many bytes of a byte order mark stand before the text, and the evidence."""

    name: str
    mark: int = 0
    evidence: str = ""

    @property
    def is_bytewise(self) -> bool:
        """Whether single bad bytes can be told apart and kept."""
        return not self.name.startswith(("utf-16", "utf-32"))

    @property
    def errors(self) -> str:
        """The codec's error handler that loses nothing: bad bytes become lone surrogates, which are then judged."""
        return "surrogateescape" if self.is_bytewise else "surrogatepass"


def named(name: str, head: bytes) -> Encoding:
    """The encoding that a setting names; a byte order mark is no part of the text, whatever the name."""
    plain = codecs.lookup(name).name
    for mark, marked in _BOMS:
        if head.startswith(mark) and marked in {plain, _MARKED.get(plain), f"{plain}-le", f"{plain}-be"}:
            return Encoding(marked, len(mark), "by setting, with a byte order mark")
    return Encoding(_MARKED.get(plain, plain), 0, "by setting")


def detect(sample: bytes, *, whole: bool) -> Encoding:
    """The encoding of a sample; `whole` if nothing comes after it.

    A byte order mark decides; else NULs at every second place mean UTF-16; else what is valid UTF-8 is UTF-8, since
    text in another encoding hardly ever is; else Windows-1252, of which Latin-1 is a part.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return Encoding(name, len(mark), "a byte order mark says so")
    wide = _wide(sample)
    if wide:
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=whole)
    except UnicodeDecodeError as error:
        return Encoding(CP1252, 0, f"byte {error.start + 1} of the sample is not UTF-8")
    many = "all" if whole else "the first"
    return Encoding("utf-8", 0, f"{many} {len(sample):,} bytes are valid UTF-8")


def _wide(sample: bytes) -> Encoding | None:
    """UTF-16 without a mark: the high bytes of Latin letters are NUL."""
    half = len(sample) // 2
    if half < 2:  # noqa: PLR2004 - one character is no evidence
        return None
    for name, high, low in (("utf-16-le", sample[1::2], sample[0::2]), ("utf-16-be", sample[0::2], sample[1::2])):
        share = high.count(0) / half
        if share > _SHARE and low.count(0) == 0:
            return Encoding(name, 0, f"{share:.0%} of the bytes at every second place are NUL")
    return None
