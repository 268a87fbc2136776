"""How many records of a stream had which outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Counts:
    """Each record seen has exactly one outcome; `deleted` counts rows swept, `bytes` those of the messages."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    deduplicated: int = 0
    rejected: int = 0
    deleted: int = 0
    bytes: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    @property
    def changes(self) -> int:
        """The number of rows that are other than before."""
        return self.created + self.updated + self.deleted

    def as_dict(self) -> Mapping[str, int]:
        """Give the counts by name."""
        return {f.name: getattr(self, f.name) for f in fields(Counts)}
