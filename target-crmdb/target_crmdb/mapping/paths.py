"""Where a value stands in a record, as mapping files write it: `properties.email`, `emails[primary].value`, `a.0`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from target_crmdb.mapping.names import Path

MISSING = object()
"""What stands where a record has no such field; null is a value."""

_PART = re.compile(r"(?P<name>(?:[^.\\\[\]]|\\.)+)(?P<picks>(?:\[(?:\w+)\])*)(?:(?P<dot>\.)|\Z)", re.DOTALL)
_PICK = re.compile(r"\[(\w+)\]")


class PathError(ValueError):
    """A text is no path."""


@dataclass(frozen=True)
class Pick:
    """The element of a list whose `flag` is true, or else its first one."""

    flag: str


Step = str | int | Pick


@dataclass(frozen=True)
class FieldPath:
    """A path as it is written, and its steps."""

    text: str
    steps: tuple[Step, ...]

    @cached_property
    def names(self) -> Path:
        """The names of objects and fields before the first list."""
        names: list[str] = []
        for step in self.steps:
            if not isinstance(step, str):
                break
            names.append(step)
        return tuple(names)

    def split(self, columns: Collection[Path]) -> tuple[Path | None, tuple[Step, ...]]:
        """Give the longest of these paths that leads here, if any does, and the steps inside of it."""
        for length in range(len(self.names), 0, -1):
            if self.names[:length] in columns:
                return self.names[:length], self.steps[length:]
        return None, self.steps

    def of(self, record: Mapping[str, Any], *, depth: int = 1) -> Any:
        """Give the value in a record; MISSING where the record lacks the field, which is named by so many names."""
        value: Any = record
        for name in self.names[:depth]:
            value = value.get(name, MISSING) if isinstance(value, dict) else None
            if value is MISSING:
                return MISSING
        return inside(value, self.steps[depth:])


def inside(value: Any, steps: Collection[Step]) -> Any:
    """Follow steps into a decoded JSON value; null where they lead nowhere."""
    for step in steps:
        value = _follow(value, step)
        if value is None:
            return None
    return value


def _follow(value: Any, step: Step) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, list) or not value:
        return None
    if isinstance(step, int):
        return value[step] if step < len(value) else None
    return next((one for one in value if isinstance(one, dict) and one.get(step.flag) is True), value[0])


@lru_cache(maxsize=4096)
def parse_path(text: str) -> FieldPath:
    """Read a path; raises PathError. A dot or a bracket within a name is written with a backslash before it."""
    steps: list[Step] = []
    at = 0
    goes_on = True
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            break
        steps += _steps(match)
        at = match.end()
        goes_on = match["dot"] is not None
    if at < len(text) or goes_on or not isinstance(steps[0], str):
        raise PathError("is no path; write names with dots between, `a.b`, and `a[flag].b` for an element of a list")
    return FieldPath(text, tuple(steps))


def _steps(match: re.Match[str]) -> list[Step]:
    name = re.sub(r"\\(.)", r"\1", match["name"], flags=re.DOTALL)
    picks: list[Step] = [int(flag) if flag.isdecimal() else Pick(flag) for flag in _PICK.findall(match["picks"])]
    return [name, *picks]
