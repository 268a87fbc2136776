"""What a rule over one record is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RecordRule:
    """A rule over the records of one entity.

    `name` is `entity.word`. `check` takes the canonical fields that the rule names, and gives None, or what is wrong
    in a few words without a value: texts are str, numbers Decimal, days date, instants aware datetime; null is None.
    It is asked where a table has all of `fields` and at least one of `any_of`, for records that have all that the
    table has. `met_by` names texts of which any one that is not empty is all that it asks for: with one of them no
    record breaks it, and most need not be asked.
    """

    name: str
    check: Callable[[Mapping[str, Any]], str | None]
    fields: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    met_by: tuple[str, ...] = ()

    @property
    def entity(self) -> str:
        """The entity whose records it is about."""
        return self.name.partition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that it looks at."""
        return (*dict.fromkeys((*self.fields, *self.any_of, *self.met_by)),)
