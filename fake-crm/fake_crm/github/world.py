"""All repositories of the fake, and its oddities."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fake_crm.github.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.clock import Clock
    from fake_crm.github.access import Access
    from fake_crm.github.limits import Limiter
    from fake_crm.github.storage import Storage

__all__ = ["Quirks", "World"]


@dataclass
class Quirks:
    """What can be made smaller or stricter than it is at GitHub, for tests."""

    tree_entries: int = 100_000
    listing_entries: int = 1_000
    inline_bytes: int = 1_000_000
    most_bytes: int = 100_000_000


class World:
    """Repositories by owner and name; the names are case-insensitive, and old ones lead to new ones."""

    def __init__(self, clock: Clock, access: Access, limiter: Limiter, storage: Storage) -> None:
        self.quirks = Quirks()
        self.access = access
        self.limiter = limiter
        self.storage = storage
        self._clock = clock
        self._numbers = itertools.count(1)
        self._repositories: dict[str, Repository] = {}
        self._moved: dict[str, int] = {}

    @property
    def repositories(self) -> list[Repository]:
        """All of them."""
        return list(self._repositories.values())

    def create(
        self, full_name: str, files: Mapping[str, bytes | str] | None = None, *, private: bool = False
    ) -> Repository:
        """Make a repository, with a first commit if it has files."""
        owner, _, name = full_name.partition("/")
        made = Repository(next(self._numbers), owner, name, self._clock.now, private=private)
        self._repositories[full_name.lower()] = made
        if files:
            made.commit(files, message="Begin")
        return made

    def rename(self, repository: Repository, full_name: str) -> None:
        """Give a repository another name; the old one is redirected."""
        del self._repositories[repository.full_name.lower()]
        self._moved[repository.full_name.lower()] = repository.number
        repository.owner, _, repository.name = full_name.partition("/")
        self._repositories[full_name.lower()] = repository

    def find(self, owner: str, name: str) -> Repository | None:
        """The repository of this name."""
        return self._repositories.get(f"{owner}/{name}".lower())

    def moved(self, owner: str, name: str) -> int | None:
        """The number of the repository that had this name."""
        return self._moved.get(f"{owner}/{name}".lower())

    def by_number(self, number: int) -> Repository | None:
        """The repository of this number."""
        return next((each for each in self._repositories.values() if each.number == number), None)
