"""Values in conditions, in the form in which rows keep them; refused where they do not fit the field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError
from fake_crm.salesforce.fields import IDS, NUMBERS
from fake_crm.salesforce.soql.refusals import invalid_field
from fake_crm.salesforce.values import LONG, SHORT, any_id

if TYPE_CHECKING:
    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.soql.tree import Literal

_WANTED = {"datetime": ("dateTime", "datetime"), "date": ("date", "date"), "time": ("time", "time")}
_MONTHS = 12


@dataclass(frozen=True)
class Span:
    """A relative date: from the start until before the end, in the field's own form."""

    start: str
    end: str


def value_of(field: Field, literal: Literal, now: datetime, text: str) -> Any:
    """The literal as a value of the field; None for null."""
    if literal.kind == "null":
        return None
    if field.type in _WANTED:
        return _moment(field, literal, now, text)
    if field.type in NUMBERS:
        return _plain(
            field, literal, "number", f"must be of type {field.type} and should not be enclosed in quotes", text
        )
    if field.type == "boolean":
        return _plain(field, literal, "boolean", "must be of type boolean and should not be enclosed in quotes", text)
    value = _plain(field, literal, "text", "must be of type string and should be enclosed in quotes", text)
    return _id(value) if field.type in IDS else value


def _plain(field: Field, literal: Literal, kind: str, wanted: str, text: str) -> Any:
    if literal.kind != kind:
        raise invalid_field(f"value of filter criterion for field '{field.name}' {wanted}", text, literal.at)
    return literal.value


def _id(value: str) -> str:
    if len(value) not in {SHORT, LONG} or not value.isalnum():
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}")
    return any_id(value)


def _moment(field: Field, literal: Literal, now: datetime, text: str) -> str | Span:
    name, kind = _WANTED[field.type]
    if literal.kind == "relative" and kind != "time":
        start, end = _days(literal.value, now.date())
        return Span(_as(kind, start), _as(kind, end))
    if literal.kind != kind:
        wanted = f"must be of type {name} and should not be enclosed in quotes"
        message = f"value of filter criterion for field '{field.name}' {wanted}"
        raise invalid_field(message, text, literal.at)
    try:
        return _canonical(kind, literal.value)
    except ValueError:
        raise ApiError(400, "MALFORMED_QUERY", f"Invalid {name}: {literal.value}") from None


def _canonical(kind: str, text: str) -> str:
    if kind == "datetime":
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC)
        return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if kind == "date":
        return date.fromisoformat(text).isoformat()
    clock, _, fraction = text.upper().removesuffix("Z").partition(".")
    return f"{clock}.{fraction[:3].ljust(3, '0')}Z"


def _as(kind: str, day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z" if kind == "datetime" else day.isoformat()


def _days(word: str, today: date) -> tuple[date, date]:
    """The first day, and the day after the last (vendor page "Date formats and date literals")."""
    name, _, number = word.partition(":")
    count = int(number or 0)
    one = timedelta(days=1)
    fixed = {
        "today": (today, today + one),
        "yesterday": (today - one, today),
        "tomorrow": (today + one, today + 2 * one),
        "last_n_days": (today - count * one, today + one),
        "next_n_days": (today + one, today + (count + 1) * one),
        "n_days_ago": (today - count * one, today - (count - 1) * one),
        "last_90_days": (today - 90 * one, today + one),
        "next_90_days": (today + one, today + 91 * one),
    }
    return fixed[name] if name in fixed else _longer(name, count, today)


def _longer(name: str, count: int, today: date) -> tuple[date, date]:
    which, _, unit = name.partition("_")
    if unit.startswith("n_"):
        unit = unit[2:-1]
        first, last = (-count, -1) if which == "last" else (1, count)
    else:
        first = last = {"last": -1, "this": 0, "next": 1}[which]
    return _unit(unit, today, first), _unit(unit, today, last + 1)


def _unit(unit: str, today: date, steps: int) -> date:
    """The first day of a week, month, quarter or year, so many steps from today's; weeks begin on Sunday."""
    if unit == "week":
        return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=steps)
    size = {"month": 1, "quarter": 3, "year": _MONTHS}[unit]
    start = (today.month - 1) // size * size + steps * size
    return date(today.year + start // _MONTHS, start % _MONTHS + 1, 1)
