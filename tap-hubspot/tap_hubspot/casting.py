"""Property values: HubSpot sends every one as text or null; here they get the type that their SCHEMA declares."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Cast = Callable[[str], object]

# stricter than Decimal(): no NaN, no Infinity, no 1_000, no digits of other scripts
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII).fullmatch
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII).fullmatch
# days and times that always exist; for the others, 29th of February, the calendar is asked
_SURE_DAY = "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_SURE = rf"[12]\d{{3}}-{_SURE_DAY}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{{1,6}})?Z"
_SURE_INSTANT = re.compile(_SURE, re.ASCII).fullmatch
_SURE_INSTANTS = re.compile(f"{_SURE}(?:\n{_SURE})*", re.ASCII).fullmatch
_EPOCH_MS = re.compile(r"-?\d{9,15}(?:\.0*)?", re.ASCII).fullmatch
_BOOLEANS = MappingProxyType({"true": True, "false": False})
_MOST_REMEMBERED = 5000
_NOTHING = MappingProxyType({None: None, "": None})  # what stands for no value, of whatever type
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MisfitError(ValueError):
    """A value that its declared type cannot hold."""


def to_number(text: str) -> Decimal:
    """Exactly the number written; `"12.50"` keeps its two places."""
    if not _NUMBER(text):
        raise MisfitError
    return Decimal(text)


def to_boolean(text: str) -> bool:
    """`true` and `false`, in any case."""
    value = _BOOLEANS.get(text)
    if value is None:
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise MisfitError
    return value


def to_date(text: str) -> str:
    """`YYYY-MM-DD`, also from epoch milliseconds of a midnight (legacy values)."""
    if _DATE(text):
        return _real(date.fromisoformat, text)
    instant = datetime.fromisoformat(to_instant(text))
    if instant.astimezone(UTC).time() != _EPOCH.time():
        raise MisfitError
    return instant.astimezone(UTC).date().isoformat()


def to_instant(text: str) -> str:
    """An instant with its offset as HubSpot wrote it; epoch milliseconds (legacy values) become ISO 8601 in UTC."""
    if _SURE_INSTANT(text):
        return text
    if _INSTANT(text):
        return _real(datetime.fromisoformat, text)
    if _EPOCH_MS(text):
        instant = _EPOCH + timedelta(milliseconds=int(Decimal(text)))
        return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise MisfitError


def _real(parse: Cast, text: str) -> str:
    """The text itself, if there is such a day: the pattern alone lets 30 February pass."""
    try:
        parse(text)
    except ValueError as error:
        raise MisfitError from error
    return text


class _Memo(dict[str | None, Any]):
    """Results of a cast by text, found without a call; bounded. Dates, booleans and most numbers come many times."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(_NOTHING)
        self._cast = cast

    def __missing__(self, text: str) -> object:
        value = self._cast(text)
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
            self.update(_NOTHING)
        self[text] = value
        return value


def caster(schema: Mapping[str, Any]) -> Cast | None:
    """The cast for a property with this JSON schema; None where text stays text."""
    types = schema.get("type", ())
    if "number" in types or "integer" in types:
        return to_number
    if "boolean" in types:
        return to_boolean
    return {"date": to_date, "date-time": to_instant}.get(schema.get("format", ""))


class Misfits:
    """Counts, per property, the values that did not fit; holds no value."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Count one value of this property that became null."""
        self._count[name] += 1

    def __bool__(self) -> bool:
        return bool(self._count)

    @override
    def __str__(self) -> str:
        """`hs_hd_ticket_ids: 3, annualrevenue: 1`, most first."""
        return ", ".join(f"{name}: {count}" for name, count in self._count.most_common())


class Casts:
    """The casts of one stream's selected properties."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.names = tuple(schemas)
        self._nulls = dict.fromkeys(schemas)
        self._extras: tuple[str, ...] = ()
        self.misfits = Misfits()
        by_cast: dict[Cast, list[str]] = {}
        for name, schema in schemas.items():
            if cast := caster(schema):
                by_cast.setdefault(cast, []).append(name)
        self._columns = [
            (_Instants if cast is to_instant else _Columns)(names, cast, self.misfits)
            for cast, names in by_cast.items()
        ]

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The selected properties, typed; one that HubSpot left out is null, as one that it sent as null."""
        typed = {**self._nulls, **values}
        if len(typed) > len(self._nulls):
            self._leave_out_extras(typed)
        for columns in self._columns:
            columns.cast(typed)
        return typed

    def _leave_out_extras(self, typed: dict[str, Any]) -> None:
        """Drop what HubSpot adds though it was not asked for, mostly the same few names."""
        for name in self._extras:
            typed.pop(name, None)
        if len(typed) > len(self._nulls):
            more = typed.keys() - self._nulls.keys()
            self._extras = (*self._extras, *more)
            for name in more:
                del typed[name]


class _Columns:
    """The properties of one type: cast in one go, which costs half, or one by one where a value is odd."""

    def __init__(self, names: Sequence[str], cast: Cast, misfits: Misfits) -> None:
        self.names = names
        self.values_of = itemgetter(*names, names[0])  # never one name alone, for which it gives no tuple
        self._quick = _Memo(cast).__getitem__
        self._cast = cast
        self._misfits = misfits

    def cast(self, typed: dict[str, Any]) -> None:
        """Cast these properties in place."""
        try:
            self._cast_all(typed)
        except (MisfitError, OverflowError, TypeError, AttributeError):
            for name in self.names:
                typed[name] = self._cast_one(name, typed[name])

    def _cast_all(self, typed: dict[str, Any]) -> None:
        """Cast what can be cast as it is, else raise an error and leave all as they were."""
        values = list(map(self._quick, self.values_of(typed)))
        typed.update(zip(self.names, values, strict=False))

    def _cast_one(self, name: str, value: Any) -> object:
        text = "" if value is None else str(value).strip()
        if not text:
            return None
        try:
            return self._cast(text)
        except (MisfitError, OverflowError):
            self._misfits.add(name)
            return None


class _Instants(_Columns):
    """Instants stay as they are where nothing is wrong with them, which is seen of all at once."""

    def __init__(self, names: Sequence[str], cast: Cast, misfits: Misfits) -> None:
        super().__init__(names, cast, misfits)
        self._sure: set[str | None] = {None}

    @override
    def _cast_all(self, typed: dict[str, Any]) -> None:
        unsure = set(self.values_of(typed)) - self._sure
        lines = "\n".join(unsure)  # another type than text is a TypeError
        if unsure and (lines.count("\n") >= len(unsure) or not _SURE_INSTANTS(lines)):
            raise MisfitError
        if len(self._sure) > _MOST_REMEMBERED:
            self._sure = {None}
        self._sure |= unsure
