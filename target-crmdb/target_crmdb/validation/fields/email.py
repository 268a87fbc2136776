"""E-mail addresses: the verdict is email-validator's, common addresses are known to have it without being asked."""

import re
from typing import Any

from target_crmdb.validation.fields.errors import FieldError, remembering
from target_crmdb.validation.fields.text import text_of
from target_crmdb.validation.fields.type import Forms

_RULE = "invalid_email"
# no two hyphens in a row, which would be Punycode or reserved; a label of more than 63 letters is longer than the whole
_LABEL = r"[a-z0-9]++(?:-[a-z0-9]++)*+"
_LOCAL = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]++"
_NAME = rf"{_LOCAL}(?:\.{_LOCAL})*+@(?:{_LABEL}\.)+"
_COMMON = rf"{_NAME}[a-z]++"
_is_common = re.compile(_COMMON.replace("a-z", "a-zA-Z")).fullmatch
_COMMON_LENGTH = 64


def email_type() -> Forms:
    """Give the type of e-mail addresses: domain in lower case, the part before it as it is.

    As email-validator (https://github.com/JoshData/python-email-validator), nothing is asked of the network.
    """
    from email_validator import (  # noqa: PLC0415 - 60 ms, for those who have a field of this type
        SPECIAL_USE_DOMAIN_NAMES,
        EmailNotValidError,
        validate_email,
    )
    from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES  # noqa: PLC0415 - as above

    special = tuple(f"{mark}{name}" for name in SPECIAL_USE_DOMAIN_NAMES for mark in "@.")
    last = "|".join({re.escape(name.rpartition(".")[2]) for name in SPECIAL_USE_DOMAIN_NAMES})
    is_own = re.compile(rf"(?!.{{{_COMMON_LENGTH + 1},}}){_NAME}(?!(?:{last})\Z)[a-z]++").fullmatch
    mailboxes = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)

    @remembering
    def judged(value: str) -> str:
        try:
            return validate_email(value, check_deliverability=False).normalized
        except EmailNotValidError:
            raise FieldError(_RULE, _reason(value)) from None  # the library's own words quote the value

    def normal(value: Any) -> str | None:
        if type(value) is str and len(value) <= _COMMON_LENGTH:
            if is_own(value):
                return value
            if _is_common(value):
                local, _, domain = value.partition("@")
                domain = domain.lower()
                if not (f"@{domain}".endswith(special) or local.lower() in mailboxes):
                    return f"{local}@{domain}"
        text = text_of(value, _RULE, "is not a text")
        return None if text is None else judged(text)

    return Forms(normal, is_own)


def _reason(value: str) -> str:
    if "@" not in value:
        return "is not an e-mail address: it has no @"
    if value.strip() != value:
        return "is not an e-mail address: it has blanks around it"
    if value.count("@") > 1:
        return "is not an e-mail address: it has more than one @"
    return "is not an e-mail address"
