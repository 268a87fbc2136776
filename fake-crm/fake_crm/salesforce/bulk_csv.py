"""Rows as the CSV of Bulk API 2.0: everything quoted, empty for null, stamps with Z."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.soql.paths import getter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.paths import Found
    from fake_crm.salesforce.values import Row

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_BLOCK = 2_000  # rows written at once


def head(columns: Sequence[Found], delimiter: str, ending: str) -> bytes:
    """The row of names: quoted too."""
    return (delimiter.join(f'"{".".join(found.names)}"' for found in columns) + ending).encode()


def row_writer(org: Org, columns: Sequence[Found], delimiter: str, ending: str, doubled: str) -> Callable[[Row], str]:
    """What writes one row; `doubled` tells which whole numbers have a fraction: zero, even or never."""
    plain = [(found.field.name, _writer(found.field, doubled)) for found in columns]
    between, end = f'"{delimiter}"', f'"{ending}'
    if all(not found.steps for found in columns):
        return lambda row: f'"{between.join([write(row.get(name)) for name, write in plain])}{end}'
    values = [(getter(org, found), _writer(found.field, doubled)) for found in columns]
    return lambda row: f'"{between.join([write(value(row)) for value, write in values])}{end}'


def blocks(rows: Iterator[str]) -> Iterator[bytes]:
    """Rows in pieces that are worth sending."""
    held: list[str] = []
    for row in rows:
        held.append(row)
        if len(held) >= _BLOCK:
            yield "".join(held).encode("utf-8", "surrogatepass")
            held.clear()
    yield "".join(held).encode("utf-8", "surrogatepass")


def _writer(field: Field, doubled: str) -> Callable[[Any], str]:
    match field.type:
        case "double" | "currency" | "percent":
            return _number
        case "int" | "long":
            return {"zero": _zero_doubled, "even": _even_doubled}.get(doubled, _plain)
        case "boolean" | "id" | "reference" | "date" | "datetime" | "time":
            return _plain
        case "anyType":
            return _anything
    return _text


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    text: str = value
    return text.replace('"', '""') if '"' in text else text


def _number(value: Decimal | None) -> str:
    """Plain, without an exponent (unverified); a fraction where the number has one or the field could."""
    if value is None:
        return ""
    text = format(value, "f")
    if "." not in text:
        return text
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def _zero_doubled(value: int | None) -> str:
    return "0.0" if value == 0 else _plain(value)


def _even_doubled(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value}.0" if value % 2 == 0 else str(value)


def _anything(value: Any) -> str:
    if isinstance(value, Decimal):
        return _number(value)
    return _text(json.dumps(value)) if isinstance(value, dict | list) else _text(_plain(value))
