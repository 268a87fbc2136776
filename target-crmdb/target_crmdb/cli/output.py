"""Rows on a terminal: a plain table, or JSON for programs."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import click
import psycopg

_WIDEST = 60


def print_rows(
    cursor: psycopg.Cursor[tuple[Any, ...]],
    *,
    as_json: bool = False,
    compact: bool = False,
    hidden: Collection[str] = (),
) -> None:
    """Print the rows of an executed query; a compact table leaves out columns without any value, and those hidden."""
    names = [column.name for column in cursor.description or ()]
    rows = cursor.fetchall() if cursor.description else []
    if as_json:
        records = [dict(zip(names, row, strict=True)) for row in rows]
        click.echo(json.dumps(records, default=plain, indent=2))
    else:
        filled = [place for place in range(len(names)) if not compact or any(row[place] is not None for row in rows)]
        shown = [place for place in filled if names[place] not in hidden]
        click.echo(table([names[place] for place in shown], [[row[place] for place in shown] for row in rows]))


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Lay out rows below their column names; long values are cut, control characters shown as escapes."""
    texts = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    lines = [_line(names, widths), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths) for row in texts]
    lines.append(f"({len(rows)} row{'' if len(rows) == 1 else 's'})")
    return "\n".join(lines)


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _text(value: Any) -> str:
    text = _whole(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _whole(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = json.dumps(value, default=plain) if isinstance(value, dict | list) else str(value)
    # control and direction characters could write over the terminal's other lines
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def record_lines(fields: Mapping[str, Any]) -> str:
    """Lay out one row with a line per field, nothing cut."""
    width = max(map(len, fields))
    return "\n".join(f"{name.ljust(width)}  {_whole(value)}" for name, value in fields.items())


def plain(value: Any) -> Any:
    """Give a value that JSON lacks as one that it has."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value) if value == Decimal(str(float(value))) else str(value)
    return str(value)
