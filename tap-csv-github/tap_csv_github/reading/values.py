"""Types of columns: text unless a setting, or every sampled value and a setting, say otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["KINDS", "TEXT", "Kind", "infer", "kind_of", "kind_of_schema"]

# A leading zero, a plus, an exponent, more than 15 digits: such text is an id, a phone number or a name, not a number.
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})", re.ASCII)
_WIDE_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?", re.ASCII)
_WIDE_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})


@dataclass(frozen=True)
class Kind:
    """A type: its JSON schema, and a cast that raises ValueError for what does not fit (None: none is needed)."""

    name: str
    schema: Mapping[str, Any] = field(hash=False)
    cast: Callable[[str], Any] | None = field(default=None, repr=False)

    def property(self) -> dict[str, Any]:
        """The JSON schema of a column of this type; every one may be null, for rows can be short."""
        return {**self.schema, "type": [self.schema["type"], "null"]}


def _blank_is_null(cast: Callable[[str], Any]) -> Callable[[str], Any]:
    def with_blank(text: str) -> Any:
        text = text.strip()
        return cast(text) if text else None

    return with_blank


def _integer(text: str) -> int:
    if not _WIDE_INTEGER.fullmatch(text):
        raise ValueError("no integer")
    return int(text)


def _number(text: str) -> Decimal:
    if not _WIDE_NUMBER.fullmatch(text):
        raise ValueError("no number")
    return Decimal(text)


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise ValueError("no boolean")
    return lowered in _TRUE


def _day(pattern: str) -> Callable[[str], str]:
    @lru_cache(10_000)
    def day(text: str) -> str:
        if pattern:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).date().isoformat()
        if not _DAY.fullmatch(text):
            raise ValueError("no date")
        return datetime.fromisoformat(text).date().isoformat()

    return day


def _instant(pattern: str) -> Callable[[str], str]:
    @lru_cache(10_000)
    def instant(text: str) -> str:
        at = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007 - next line
        return format_instant(at)  # without an offset: UTC

    return instant


TEXT = Kind("string", {"type": "string"})
KINDS = ("string", "integer", "number", "boolean", "date", "date-time")


@lru_cache(1000)
def kind_of(spec: str) -> Kind:
    """The type that a setting names: one of `KINDS`; a date or date-time may have a format after a blank."""
    name, _, pattern = spec.strip().partition(" ")
    casts: dict[str, Callable[[str], Any]] = {"integer": _integer, "number": _number, "boolean": _boolean}
    if name in casts and not pattern:
        return Kind(name, {"type": name}, _blank_is_null(casts[name]))
    if name == "date":
        return Kind(name, {"type": "string", "format": "date"}, _blank_is_null(_day(pattern)))
    if name == "date-time":
        return Kind(name, {"type": "string", "format": "date-time"}, _blank_is_null(_instant(pattern)))
    if spec.strip() == "string":
        return TEXT
    raise ValueError(f"must be one of {', '.join(KINDS)}; a date or date-time may have a format, as in `date %m/%d/%Y`")


@lru_cache(1000)
def _careful(name: str) -> Kind:
    """A type that takes only what it would be inferred from: of any other value something would be lost."""
    kind, fits = kind_of(name), _INFERRED[name]
    given = kind.cast
    assert given is not None

    def cast(text: str) -> Any:
        if text and not fits(text):
            raise ValueError("more than the type can hold")
        return given(text)

    return Kind(kind.name, kind.schema, cast)


def kind_of_schema(schema: Mapping[str, Any]) -> Kind:
    """The type that a property of a catalog has, where no setting gives it: an inferred one."""
    given = schema.get("type", "string")
    name = next((each for each in ([given] if isinstance(given, str) else given) if each != "null"), "string")
    if name == "string" and schema.get("format") in {"date", "date-time"}:
        name = str(schema["format"])
    return _careful(name) if name in _INFERRED else TEXT


_INFERRED: Mapping[str, Callable[[str], bool]] = {
    "integer": lambda text: _INTEGER.fullmatch(text) is not None and text != "-0",
    "number": lambda text: _NUMBER.fullmatch(text) is not None and not (text[0] == "-" and not text.strip("-0.")),
    "boolean": lambda text: text.lower() in {"true", "false"},
    "date": lambda text: _fits("date", text) and text == text.strip(),
    "date-time": lambda text: _INSTANT.fullmatch(text) is not None and _fits("date-time", text),
}


def _fits(name: str, text: str) -> bool:
    cast = kind_of(name).cast
    assert cast is not None
    try:
        cast(text)
    except ValueError:
        return False
    return True


def infer(values: Iterable[str]) -> Kind:
    """The type that every one of these values has; text where there is none, or any doubt."""
    given = [value for value in values if value]
    if not given:
        return TEXT
    for name, fits in _INFERRED.items():
        if all(fits(value) for value in given):
            return kind_of(name)
    return TEXT
