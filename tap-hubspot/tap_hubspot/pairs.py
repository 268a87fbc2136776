"""Which pairs of object types have associations to read, and which of them are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_hubspot.keyset import Api

PATTERN = r"^[^:\s]+:[^:\s]+$"
_NO_SUCH_PAIR = frozenset({400, 404})


@dataclass(frozen=True)
class PairPattern:
    """A pattern of the setting `associations`: `contacts:companies`, `deals:*`."""

    source: str
    target: str

    @classmethod
    def of(cls, text: str) -> PairPattern:
        """Read a pattern."""
        source, _, target = text.partition(":")
        return cls(source, target)

    @property
    def names_target(self) -> bool:
        """Whether it names one type to lead to, so that nobody needs to look for it."""
        return not set(self.target) & set("*?[")


@dataclass(frozen=True)
class Targets:
    """Types that a type may be associated with: `named` ones are taken as given, the others may not exist as a pair."""

    named: tuple[str, ...]
    possible: tuple[str, ...]


def wanted_targets(source: str, known: Iterable[str], patterns: Iterable[str]) -> Targets:
    """The types that links from `source` may lead to, by the patterns and the account's object types."""
    fitting = [each for each in map(PairPattern.of, patterns) if fnmatchcase(source, each.source)]
    named = tuple(dict.fromkeys(each.target for each in fitting if each.names_target))
    possible = [one for one in known if one not in named and any(fnmatchcase(one, each.target) for each in fitting)]
    return Targets(named, tuple(possible))


def existing(api: Api, labels_paths: Iterable[str], *, workers: int) -> Iterator[bool]:
    """Whether each pair exists, by a call for its labels: one without any association type does not.

    HubSpot tells the types of one pair at a time; a table of what its own objects can be associated with is only on a
    vendor page, and would miss what the account or a later version adds.
    """
    return in_order(lambda path: _exists(api, path), labels_paths, workers=workers)


def _exists(api: Api, path: str) -> bool:
    try:
        return bool(api.get_json(path)["results"])
    except ApiError as error:
        if error.status in _NO_SUCH_PAIR:  # unverified: how HubSpot answers for a pair that cannot be
            return False
        raise
