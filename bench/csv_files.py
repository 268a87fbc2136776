"""The files of `bench/tap_csv_github.py`: a large one, many small ones, and some that break readers."""

from __future__ import annotations

import codecs
import csv
import io
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["NASTY", "Nasty", "write_large", "write_small"]

_COLUMNS = (
    *("id", "first_name", "last_name", "email", "phone", "company", "street", "city", "zip", "country", "stage"),
    *("amount", "currency", "owner", "created_at", "closed_on", "source", "score", "is_customer", "note"),
)
_WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "lima")


def write_large(path: Path, megabytes: int) -> int:
    """A file of made-up contacts of 20 columns, about 200 bytes a row, every tenth note quoted; its number of rows."""
    chance = random.Random(3)
    size, rows = 0, 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_COLUMNS) + "\n")
        while size < megabytes * 1_000_000:
            block = "".join(_row(chance, number) for number in range(rows, rows + 5000))
            file.write(block)
            size, rows = size + len(block.encode()), rows + 5000
    return rows


def _row(chance: random.Random, number: int) -> str:
    first, last, town = chance.choice(_WORDS), chance.choice(_WORDS), chance.choice(_WORDS)
    note = f'"said ""{first}"", then {last}"' if number % 10 == 0 else f"{first} {town}"
    return (
        f"{number},{first},{last},{first}.{last}{number}@example.com,+1555{number:07},{town} Inc,{number % 999} {last} "
        f"Street,{town},0{number % 9000 + 1000},US,won,{number % 5000}.50,USD,{last},"
        f"2026-01-{number % 28 + 1:02}T10:00:00Z,2026-02-{number % 28 + 1:02},web,{number % 100},true,{note}\n"
    )


def write_small(folder: Path, count: int) -> int:
    """So many files of 50 rows; the rows of all."""
    chance = random.Random(4)
    for file in range(count):
        rows = "".join(_row(chance, file * 50 + number) for number in range(50))
        (folder / f"part-{file:03}.csv").write_text(",".join(_COLUMNS) + "\n" + rows, "utf-8")
    return count * 50


@dataclass(frozen=True)
class Nasty:
    """Files of one stream, and the rows that a reader should give, by the column `id`."""

    files: Mapping[str, bytes]
    rows: tuple[dict[str, str], ...]
    key: str = "id"


def _rows(names: str, *values: str) -> tuple[dict[str, str], ...]:
    return tuple(dict(zip(names.split(), each.split("|"), strict=True)) for each in values)


def _quoted() -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["id", "note"], ["1", "two\r\nlines"], ["2", 'a "quote"'], ["3", "a,b"]])
    return out.getvalue().encode()


NASTY: Mapping[str, Nasty] = {
    "byte order mark": Nasty({"a.csv": codecs.BOM_UTF8 + b"id,name\n1,a\n"}, _rows("id name", "1|a")),
    "columns in another order in the second file": Nasty(
        {"a.csv": b"id,name\n1,a\n", "b.csv": b"name,id\nb,2\n"}, _rows("id name", "1|a", "2|b")
    ),
    "a column more in the second file": Nasty(
        {"a.csv": b"id,name\n1,a\n", "b.csv": b"id,name,mail\n2,b,c\n"},
        ({"id": "1", "name": "a"}, *_rows("id name mail", "2|b|c")),
    ),
    "duplicate headers": Nasty({"a.csv": b"id,x,x\n1,a,b\n"}, ({"id": "1", "x": "a", "x_2": "b"},)),
    "line ends in cells": Nasty(
        {"a.csv": _quoted()},
        ({"id": "1", "note": "two\r\nlines"}, {"id": "2", "note": 'a "quote"'}, {"id": "3", "note": "a,b"}),
    ),
    "semicolons, not set": Nasty({"a.csv": b"id;v\n1;1,5\n2;2,5\n"}, _rows("id v", "1|1,5", "2|2,5")),
    "UTF-16, not set": Nasty({"a.csv": "id,name\n1,ü\n".encode("utf-16")}, _rows("id name", "1|ü")),
    "Windows-1252, not set": Nasty({"a.csv": "id,name\n1,ü\n".encode("cp1252")}, _rows("id name", "1|ü")),
    "an unclosed quote": Nasty({"a.csv": b'id,name\n1,"open\n2,b\n3,c\n4,d\n'}, _rows("id name", "2|b", "3|c", "4|d")),
    "leading zeros, +, exponents": Nasty(
        {"a.csv": b"id,v\n1,02134\n2,+15551234\n3,1e5\n4,NaN\n"},
        _rows("id v", "1|02134", "2|+15551234", "3|1e5", "4|NaN"),
    ),
}
