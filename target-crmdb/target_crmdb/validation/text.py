"""Characters that JSON can say and Postgres text cannot hold."""

import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def replace_unstorable(value: Any) -> Any:
    """Replace NUL and lone surrogates by U+FFFD in every text and name of a decoded JSON value."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, list):
        return [replace_unstorable(item) for item in value]
    if isinstance(value, dict):
        return {replace_unstorable(name): replace_unstorable(item) for name, item in value.items()}
    return value


def has_unstorable(value: Any) -> bool:
    """Tell whether any text or name in a decoded JSON value has a NUL or a lone surrogate."""
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is not None
    if isinstance(value, list):
        return any(has_unstorable(item) for item in value)
    if isinstance(value, dict):
        return any(has_unstorable(name) or has_unstorable(item) for name, item in value.items())
    return False
