"""A page of a Bulk result, read from a file as a stream: constant memory however large it is."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from crmdb_core.exceptions import CrmdbError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BrokenResultError", "csv_rows"]

_LONGEST_VALUE = 64 * 1024 * 1024


class BrokenResultError(CrmdbError):
    """A downloaded page is cut or is no CSV: it has to be fetched again."""


def csv_rows(
    file: BinaryIO, names: Sequence[str], *, gzipped: bool, size: int = 2000, skip: int = 0
) -> Iterator[list[list[str]]]:
    """The rows of a page in slices, without the first `skip`; the first line has to name the columns.

    Values are quoted, with newlines and whatever else within (vendor page "Get Results for a Query Job").

    Raises:
        BrokenResultError: if the page ends within a row or was damaged, or its columns are others.
    """
    if csv.field_size_limit() < _LONGEST_VALUE:
        csv.field_size_limit(_LONGEST_VALUE)  # the module knows no other way; its own limit is 128 KiB
    source = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb")) if gzipped else file
    text = io.TextIOWrapper(source, encoding="utf-8", newline="\n")  # other signs that end a line stay as they are
    try:
        reader = csv.reader(text, strict=True)
        _check(next(reader, []), names)
        rows = islice(reader, skip, None)
        while slice_ := list(islice(rows, size)):
            if set(map(len, slice_)) != {len(names)}:
                raise BrokenResultError("a row of the Bulk API's result has not as many values as columns; run again")
            yield slice_
    except (csv.Error, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BrokenResultError(
            f"a page of the Bulk API's result was cut or damaged ({type(error).__name__}); run again"
        ) from None
    finally:
        text.detach()  # the file is not ours to close


def _check(header: Sequence[str], names: Sequence[str]) -> None:
    if [each.lower() for each in header] != [each.lower() for each in names]:
        raise BrokenResultError("a page of the Bulk API's result does not begin with the columns asked for; run again")
