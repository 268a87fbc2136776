"""Resume points of CRM objects: what a STATE may hold of them, and what is no such thing.

A point of a whole read is `{"chains": …}` (see `chains`) or, once the live records are read, `{"archived": {"chains":
…}}`; that of a read of changed records is `{"after_id": "…"}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

    Point = Mapping[str, Any]


def is_usable(point: Point, *, whole: bool) -> bool:
    """Whether a point is one that such a read can go on from; edited ones and other versions' are not."""
    if len(point) != 1:
        return False
    (kind, value), *_ = point.items()
    if not whole:
        return kind == "after_id" and isinstance(value, str) and value.isascii() and value.isdecimal()
    if kind == "archived":
        return isinstance(value, dict) and value.keys() == {"chains"} and _is_chains(value["chains"])
    return kind == "chains" and _is_chains(value)


def _is_chains(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_chain, value))


def _is_chain(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 2):  # noqa: PLR2004 - a cursor and the ids it reads up to
        return False
    cursor, heads = value
    return (cursor is None or _is_text(cursor)) and isinstance(heads, list) and all(map(_is_text, heads))


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value != ""
