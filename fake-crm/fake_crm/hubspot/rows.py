"""Rows of CSV and JSON Lines files, as text by column, with the line that each came from."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One row; an empty cell is None."""

    line: int
    values: dict[str, str | None]


@dataclass(frozen=True)
class Rows:
    """A file's columns, in order, and rows."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read(path: Path) -> Rows:
    """Read a .csv (with a header) or .jsonl file in UTF-8.

    Raises:
        ValueError: with what is wrong and where.
    """
    if path.suffix.lower() not in {".csv", ".jsonl"}:
        raise ValueError(f"{path.name}: only .csv and .jsonl files can be read")
    try:
        return _csv(path) if path.suffix.lower() == ".csv" else _jsonl(path)
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: not UTF-8 (byte {error.start}); save it as UTF-8") from None


def _csv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header)
            rows = tuple(_csv_row(path, header, reader.line_num, cells) for cells in reader if cells)
        except csv.Error as error:
            raise ValueError(f"{path.name} line {reader.line_num}: {error}") from None
    return Rows(path, tuple(header), rows)


def _check_header(path: Path, header: list[str]) -> None:
    if not header or not all(header):
        raise ValueError(f"{path.name} line 1: the header is empty or has a column without a name")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"{path.name} line 1: column twice: {', '.join(twice)}")


def _csv_row(path: Path, header: list[str], line: int, cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise ValueError(f"{path.name} line {line}: {len(cells)} cells under {len(header)} columns")
    return Row(line, {name: cell if cell.strip() else None for name, cell in zip(header, cells, strict=True)})


def _jsonl(path: Path) -> Rows:
    rows = []
    columns: dict[str, None] = {}
    for line, text in enumerate(path.read_text("utf-8-sig").split("\n"), 1):
        if not text.strip():
            continue
        try:
            found = json.loads(text, parse_float=str, parse_int=str)
        except ValueError as error:
            raise ValueError(f"{path.name} line {line}: {error}") from None
        if not isinstance(found, dict):
            raise ValueError(f"{path.name} line {line}: not an object")  # noqa: TRY004 - a bad file, not a bad call
        columns |= dict.fromkeys(found)
        rows.append(Row(line, {name: _text(value) for name, value in found.items()}))
    return Rows(path, tuple(columns), tuple(rows))


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def slug(header: str) -> str:
    """A header as a property name: lower case, letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "column"
    return name if name[0].isalpha() else f"c_{name}"


_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})")
_GUESSES = (("bool", re.compile("true|false")), ("number", _NUMBER), ("date", _DATE), ("datetime", _DATETIME))


def guess(values: list[str]) -> str:
    """The type of a column, string when in doubt: "007" is no number, "1/2/2024" no date, an empty column text."""
    return next((kind for kind, form in _GUESSES if values and all(map(form.fullmatch, values))), "string")
