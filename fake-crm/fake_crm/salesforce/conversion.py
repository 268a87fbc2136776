"""What people give for a field, in the one form that the org keeps; ValueError for what Salesforce would refuse."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.fields import IDS, NUMBERS, TEXTS
from fake_crm.salesforce.values import LONG, SHORT, any_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.values import Row

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def kept(field: Field, value: Any) -> Any:
    """A value as the org keeps it; None and empty text are both empty."""
    if value is None or value == "":
        if field.type == "boolean":
            return False
        return None
    return _CONVERTERS[_family(field)](field, value)


def _family(field: Field) -> str:
    if field.type in {"int", "long"}:
        return "whole"
    if field.type in NUMBERS:
        return "number"
    if field.type in IDS:
        return "id"
    return "text" if field.type in TEXTS else field.type


def _text(field: Field, value: Any) -> str:
    if field.type == "multipicklist" and not isinstance(value, str):
        value = ";".join(value)
    if not isinstance(value, str):
        raise _wrong(field, "text")
    if field.length and len(value) > field.length:
        raise ValueError(f"{field.name}: data value too large (max length={field.length})")
    if field.restricted and not set(value.split(";")) <= set(field.picklist):
        raise ValueError(f"{field.name}: bad value for restricted picklist field")
    return value


def _whole(field: Field, value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise _wrong(field, "a whole number")
    return int(value)


def _number(field: Field, value: Any) -> Decimal:
    if isinstance(value, bool):
        raise _wrong(field, "a number")
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    if abs(rounded) >= Decimal(10) ** (field.precision - field.scale):
        raise ValueError(f"{field.name}: number outside of valid range")
    return rounded


def _flag(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field, "true or false")
    return value


def _id(field: Field, value: Any) -> str:
    if not isinstance(value, str) or len(value) not in {SHORT, LONG}:
        raise _wrong(field, "an id")
    return any_id(value)


def _moment(field: Field, value: Any) -> str:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise _wrong(field, "an instant with a zone")
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _day(field: Field, value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise _wrong(field, "a date")
    return date.fromisoformat(text).isoformat()


def _hour(field: Field, value: Any) -> str:
    moment = time.fromisoformat(value.removesuffix("Z")) if isinstance(value, str) else value
    if not isinstance(moment, time):
        raise _wrong(field, "a time of day")
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def _bytes(field: Field, value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _wrong(field, "bytes")
    return value


def _as_is(_: Field, value: Any) -> Any:
    return value


def _never(field: Field, _: Any) -> Any:
    raise ValueError(f"{field.name} is made of its parts; set those")


def _wrong(field: Field, what: str) -> ValueError:
    return ValueError(f"{field.name} must be {what}")


_CONVERTERS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "whole": _whole,
    "number": _number,
    "boolean": _flag,
    "id": _id,
    "datetime": _moment,
    "date": _day,
    "time": _hour,
    "base64": _bytes,
    "anyType": _as_is,
    "json": _as_is,
    "complexvalue": _as_is,
    "address": _never,
    "location": _never,
}

# -- compounds ------------------------------------------------------------------------------------------------------


def compound(field: Field, row: Row) -> dict[str, Any] | None:
    """The value of an address or location, from its parts."""
    values = {_part_name(field, part): row.get(part) for part in field.parts}
    return values if any(value is not None for value in values.values()) else None


def _part_name(field: Field, part: str) -> str:
    if field.type == "location":
        return "latitude" if part.endswith("Latitude__s") else "longitude"
    name = part.removeprefix(field.name.removesuffix("Address"))
    return name[0].lower() + name[1:]


def person_name(row: Row) -> str:
    """The name of a person, from its parts."""
    return " ".join(str(row[part]) for part in ("FirstName", "LastName") if row.get(part))


def worked_out(field: Field, row: Row) -> Any:
    """The result of a formula; null where it is too large for the field (Salesforce shows #Error then)."""
    assert field.formula is not None
    try:
        return kept(field, field.formula(row))
    except ValueError:
        return None
