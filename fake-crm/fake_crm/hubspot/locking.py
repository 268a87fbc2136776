"""One change of the account at a time."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def locked(method: Callable[P, T]) -> Callable[P, T]:
    """A method that holds its object's `lock` while it runs."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        with args[0].lock:  # type: ignore[attr-defined]  # args[0] is the World
            return method(*args, **kwargs)

    return guarded
