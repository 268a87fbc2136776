"""What is wrong with a field's value."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
REMEMBERED = 4096
LONGEST_REMEMBERED = 100
"""Of so many values of at most so many letters a verdict is remembered."""


class FieldError(ValueError):
    """A value has no normal form of its field's type; `rule` is a short class, the message has no value in it."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def remembering(judge: Callable[[str], T]) -> Callable[[str], T]:
    """Remember the verdicts on the last few thousand values: what is odd in one record (`n/a`) is so in many."""

    @lru_cache(REMEMBERED)
    def verdict(value: str) -> T | FieldError:
        try:
            return judge(value)
        except FieldError as error:
            return FieldError(error.rule, error.reason)  # not the raised one, which holds its whole stack

    def remembered(value: str) -> T:
        if len(value) > LONGEST_REMEMBERED:
            return judge(value)
        found = verdict(value)
        if isinstance(found, FieldError):
            raise FieldError(found.rule, found.reason)
        return found

    return remembered
