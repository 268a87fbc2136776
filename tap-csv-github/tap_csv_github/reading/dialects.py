"""How the cells of a file are divided and quoted, by settings or by a sample of it, and why that is believed."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Dialect", "detect"]

_DELIMITERS = (",", ";", "\t", "|")
_ROWS = 400
_ENOUGH = 0.9


@dataclass(frozen=True)
class Dialect:
    """Delimiter and quoting; `escape` is a character before a quote, else quotes in cells are doubled."""

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    evidence: str = ""

    def options(self, *, strict: bool = True) -> dict[str, Any]:
        """The arguments of `csv.reader`; a quote of "" means that none is one."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "escapechar": self.escape,
            "doublequote": self.escape is None,
            "strict": strict,
        }


def detect(lines: Sequence[str], *, delimiter: str | None, quote: str | None, escape: str | None) -> Dialect:
    """The dialect of the first lines of a file; what settings give is kept.

    For every way to read them that their characters allow, the rows that have as many cells as the first one are
    counted; the best share wins, then the most cells. One that divides nothing is only taken where nothing else fits.
    """
    best = (-1.0, 0)
    found = Dialect(delimiter or ",", '"' if quote is None else quote, escape, "there is nothing to tell by")
    for each in _candidates(lines, delimiter, quote, escape):
        share, cells, rows = _fit(lines, each)
        # what divides the first row at all beats what does not, unless hardly any other row agrees
        score = (share + (1 if cells > 1 and share >= _ENOUGH else 0), cells)
        if rows and score > best:
            best = score
            evidence = f"{share:.0%} of {rows} sampled rows have {cells} cells"
            found = Dialect(each.delimiter, each.quote, each.escape, evidence)
            if share == 1 and cells > 1 and (each.quote == '"' and each.escape is None) and delimiter:
                break
    return found


def _candidates(
    lines: Sequence[str], delimiter: str | None, quote: str | None, escape: str | None
) -> Iterator[Dialect]:
    first = next((line for line in lines if line.strip()), "")
    text = "".join(lines)
    delimiters = [delimiter] if delimiter else [each for each in _DELIMITERS if each in first] or [","]
    for mark in delimiters:
        quotes = ['"'] if quote is None else [quote]
        if quote is None and '"' not in text and _is_quoted(text, "'", mark):
            quotes.append("'")
        for sign in quotes:
            yield Dialect(mark, sign, escape)
            if escape is None and sign and f"\\{sign}" in text:
                yield Dialect(mark, sign, "\\")


def _is_quoted(text: str, quote: str, delimiter: str) -> bool:
    """Whether a quote stands at borders of cells only; an apostrophe inside a word is none."""
    borders = (f"{delimiter}{quote}", f"{quote}{delimiter}", f"\n{quote}", f"{quote}\n", f"{quote}\r")
    return sum(text.count(border) for border in borders) >= max(text.count(quote) // 2, 2)


def _fit(lines: Sequence[str], dialect: Dialect) -> tuple[float, int, int]:
    """The share of rows that are as wide as the first one, its width, and how many rows there are."""
    widths: list[int] = []
    try:
        for row in csv.reader(iter(lines), **dialect.options(strict=False)):
            if row:
                widths.append(len(row))
            if len(widths) >= _ROWS:
                break
    except csv.Error:
        pass  # what was read so far tells enough
    if not widths:
        return 0.0, 0, 0
    if len(widths) > 2:  # noqa: PLR2004 - two rows agree or not
        widths.pop()  # the last one may be cut by the end of the sample
    return Counter(widths)[widths[0]] / len(widths), widths[0], len(widths)
