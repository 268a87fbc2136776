"""The CRMs' own identifiers."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.text import normal_text
from target_crmdb.validation.fields.type import Normal

_RULE = "invalid_object_id"
_MOST = 2**63
_is_salesforce = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5a-z]{3})?", re.ASCII).fullmatch
_is_number = re.compile(r"[1-9]\d{0,18}", re.ASCII).fullmatch
_is_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE).fullmatch
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_LONG, _SHORT, _GROUP = 18, 15, 5


def object_id_type(crm: str | None = None) -> Normal:
    """Give the type of a CRM's identifiers; without a CRM that is known, any text or whole number will do."""
    return _TYPES.get((crm or "").lower(), normal_text)


def _salesforce(value: Any) -> str | None:
    """Give the id with its 18 letters; the last three say which of the others are upper case.

    https://help.salesforce.com/s/articleView?id=000385585: those of 15 differ only by case.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _is_salesforce(value):
        raise FieldError(_RULE, "is not a Salesforce id of 15 or 18 letters and digits")
    full = value[:_SHORT] + "".join(_check(value[begin : begin + _GROUP]) for begin in range(0, _SHORT, _GROUP))
    if len(value) == _LONG and full != value:
        raise FieldError(_RULE, "is a Salesforce id whose last three letters do not fit the others")
    return full


def _check(letters: str) -> str:
    return _CHECKS[sum(1 << place for place, letter in enumerate(letters) if "A" <= letter <= "Z")]


def _hubspot(value: Any) -> str | None:
    """Give the digits; HubSpot documents its record ids as numbers that grow (developers.hubspot.com, CRM objects)."""
    text = _digits(value)
    if text is None or (_is_number(text) and int(text) < _MOST):
        return text
    raise FieldError(_RULE, "is not a HubSpot id, which is a whole number above 0")


def _pipedrive(value: Any) -> str | None:
    """Give the digits, or the UUID of a lead (developers.pipedrive.com/docs/api/v1/Leads)."""
    text = _digits(value)
    if text is None or (_is_number(text) and int(text) < _MOST):
        return text
    if _is_uuid(text):
        return text.lower()
    raise FieldError(_RULE, "is not a Pipedrive id, which is a whole number above 0 or the UUID of a lead")


def _digits(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) else "?"


_TYPES: Mapping[str, Normal] = MappingProxyType(
    {"salesforce": _salesforce, "hubspot": _hubspot, "pipedrive": _pipedrive}
)
