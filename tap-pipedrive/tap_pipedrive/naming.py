"""Names of custom fields: readable or by code, never two alike, and kept when a field is renamed."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["names_of", "remembered", "to_state"]

_BOTH_DIGITS = 8
_SHORTEST = 6


def names_of(fields: Mapping[str, tuple[str, Sequence[str]]], policy: str, known: Mapping[str, str]) -> dict[str, str]:
    """The name of each field by code; `fields` maps a code to its name in Pipedrive and the endings of its columns.

    `known` are names given before, which stay. A name that several fields have, or that would make a column of another
    field, gets the first digits of the code, so that it does not depend on the order of the fields.
    """
    if policy == "code":
        return {code: code for code in fields}
    plain = {code: snake(name) for code, (name, _) in fields.items()}
    often = Counter(plain.values())
    given = {code: known[code] for code in fields if code in known}
    taken = {column for code, name in given.items() for column in _columns(name, fields[code][1])}
    for code in sorted(fields.keys() - given.keys()):
        choices = _choices(code, plain[code], policy, is_single=often[plain[code]] == 1)
        name = _first_free(choices, fields[code][1], taken)
        given[code] = name
        taken.update(_columns(name, fields[code][1]))
    return given


def snake(name: str) -> str:
    """A name in small letters, its words joined by underscores; empty where it has neither letter nor digit."""
    words = re.sub(r"\W+", "_", name.casefold()).strip("_")
    return f"f_{words}" if words[:1].isdigit() else words


def _choices(code: str, plain: str, policy: str, *, is_single: bool) -> Iterable[str]:
    if not plain:
        yield code
        return
    if policy == "both":
        yield f"{plain}_{code[:_BOTH_DIGITS]}"
    elif is_single:
        yield plain
    for digits in (_SHORTEST, 2 * _SHORTEST, len(code)):
        yield f"{plain}_{code[:digits]}"


def _first_free(choices: Iterable[str], endings: Sequence[str], taken: set[str]) -> str:
    last = ""
    for last in choices:
        if taken.isdisjoint(_columns(last, endings)):
            break
    return last


def _columns(name: str, endings: Sequence[str]) -> list[str]:
    return [name, *(f"{name}_{ending}" for ending in endings)]


def remembered(bookmark: Any, policy: str) -> dict[str, str]:
    """The names that STATE keeps of a stream, if they were given by the same policy."""
    kept = bookmark.get("custom_field_names") if isinstance(bookmark, dict) else None
    if not isinstance(kept, dict) or kept.get("policy") != policy:
        return {}
    names = kept.get("names")
    return {str(code): str(name) for code, name in names.items()} if isinstance(names, dict) else {}


def to_state(names: Mapping[str, str], policy: str) -> dict[str, Any] | None:
    """What STATE is to keep; nothing where codes are the names."""
    return None if policy == "code" else {"policy": policy, "names": dict(names)}
