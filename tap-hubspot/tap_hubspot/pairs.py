"""Which pairs of object types have associations to read, and which of them are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tap_hubspot.keyset import Api

PATTERN = r"^[^:\s]+:[^:\s]+$"
_WILD = frozenset("*?[")
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
        """Whether the right side is one name."""
        return not _WILD & set(self.target)

    @property
    def names_both(self) -> bool:
        """Whether it is one pair, so that nobody needs to look whether it exists."""
        return self.names_target and not _WILD & set(self.source)


@dataclass(frozen=True)
class Targets:
    """Types that a type may be associated with: `named` pairs are taken as given, the others may not exist."""

    named: tuple[str, ...]
    possible: tuple[str, ...]


def wanted_targets(source: str, known: Iterable[str], patterns: Iterable[str]) -> Targets:
    """The types that links from `source` may lead to, by the patterns and the account's object types."""
    fitting = [each for each in map(PairPattern.of, patterns) if fnmatchcase(source, each.source)]
    named = dict.fromkeys(each.target for each in fitting if each.names_both)
    # a name that is no object type of ours may be one of HubSpot's all the same, such as a type id
    names = (*known, *(each.target for each in fitting if each.names_target))
    wanted = dict.fromkeys(one for one in names if any(fnmatchcase(one, each.target) for each in fitting))
    return Targets(tuple(named), tuple(one for one in wanted if one not in named))


def fitting_none(patterns: Iterable[str], known: Collection[str]) -> list[str]:
    """Patterns whose left side is no known name: misspelt ones, most likely."""
    return [text for text in patterns if not any(fnmatchcase(one, PairPattern.of(text).source) for one in known)]


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
