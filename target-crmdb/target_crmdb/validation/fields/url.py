"""Web addresses: the verdict is pydantic's HttpUrl, common addresses are known to have it without being asked."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from target_crmdb.validation.fields.errors import FieldError, remembering
from target_crmdb.validation.fields.text import text_of
from target_crmdb.validation.fields.type import Forms

_RULE = "invalid_url"
_MOST = 2083  # pydantic's HttpUrl, https://docs.pydantic.dev/latest/api/networks/
_LABEL = r"[a-z0-9]++(?:-[a-z0-9]++)*+"
_PLAIN = r"A-Za-z0-9_~!$&()*+,;=:@.\-"
# nothing that would be escaped, no segment that is a dot or may become one
_HOST = rf"(https?://(?:{_LABEL}\.)*+[a-z]++)"
_REST = rf"((?:/(?![.%])[{_PLAIN}%]*+)*+(?:\?[{_PLAIN}%/?]*+)?+(?:\#[{_PLAIN}%/?]*+)?+)"
_common = re.compile(_HOST + _REST, re.ASCII).fullmatch
_is_own = re.compile(rf"(?!.{{{_MOST},}}){_HOST}(?=/){_REST}", re.ASCII).fullmatch
# a name with a dot and a number behind the colon is a host with its port
_has_scheme = re.compile(r"\s*(?![a-z0-9-]+(?:\.[a-z0-9-]+)+:\d)[a-z][a-z0-9+.-]*:", re.IGNORECASE).match


def url_type(assume: Literal["http", "https"] | None = None) -> Forms:
    """Give the type of http and https addresses, in the form that browsers give them.

    `assume` is the scheme of addresses that have none (`www.example.com`), which are no URLs otherwise.
    """
    if assume not in {None, "http", "https"}:
        raise ValueError("assume must be http or https")

    @remembering
    def judged(value: str) -> str:
        full = f"{assume}://{value}" if assume and not _has_scheme(value) else value
        return _checker()(full)

    def normal(value: Any) -> str | None:
        if type(value) is str and len(value) < _MOST:
            match = _common(value)
            if match:
                rest = match[2]
                return value if rest.startswith("/") else f"{match[1]}/{rest}"
        text = text_of(value, _RULE, "is not a text")
        return None if text is None else judged(text)

    return Forms(normal, _is_own)


@cache
def _checker() -> Callable[[str], str]:
    """Give the Rust half of pydantic's HttpUrl, which is all of its verdict."""
    from pydantic_core import SchemaValidator, ValidationError, core_schema  # noqa: PLC0415 - 60 ms, if there is a doubt

    schema = core_schema.url_schema(max_length=_MOST, allowed_schemes=["http", "https"])
    validate = SchemaValidator(schema).validate_python

    def check(value: str) -> str:
        try:
            return str(validate(value))
        except ValidationError:
            reason = "is not a web address" if _has_scheme(value) else "is not a web address: it has no http://"
            raise FieldError(_RULE, reason) from None  # the library's own words quote the value

    return check
