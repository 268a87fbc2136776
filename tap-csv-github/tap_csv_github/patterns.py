"""Glob patterns over paths: `*` and `?` within a folder, `**` over folders, `[…]`, `{a,b}`."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["matches"]

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]|\{[^{}]*\}|.", re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern takes a path; one without a slash takes files of that name in the top folder only."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(1000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_translated(pattern.removeprefix("./")), re.DOTALL)


def _translated(pattern: str) -> str:
    return "".join(_piece(token) for token in _TOKEN.findall(pattern))


def _piece(token: str) -> str:
    fixed = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in fixed:
        return fixed[token]
    if token[0] == "[" and len(token) > 1:
        inside = token[1:-1]
        return f"[^{inside[1:]}]" if inside[0] == "!" else f"[{inside}]"
    if token[0] == "{" and len(token) > 1:
        return f"(?:{'|'.join(_translated(part) for part in token[1:-1].split(','))})"
    return re.escape(token)
