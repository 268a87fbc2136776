"""One authenticated call: what the handlers of paths are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.github.errors import RefusalError, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fake_crm.github.access import Caller
    from fake_crm.github.repository import Repository
    from fake_crm.github.world import World
    from fake_crm.wire import Request

__all__ = ["Call"]

_MOST_PER_PAGE = 100


@dataclass(frozen=True)
class Call:
    """A request, who makes it, the parts of its path, the API root that it used, and the account."""

    request: Request
    caller: Caller
    parts: Mapping[str, str]
    root: str
    world: World

    @property
    def accept(self) -> str:
        """The media type that is asked for."""
        return self.request.headers.get("Accept", "*/*")

    def param(self, name: str) -> str | None:
        """A parameter of the URL."""
        values = self.request.query.get(name)
        return values[0] if values else None

    def repository(self) -> Repository:
        """The repository of the path, if it exists for this caller."""
        if "id" in self.parts and "owner" not in self.parts:
            found = self.world.by_number(int(self.parts["id"]))
        else:
            found = self.world.find(self.parts["owner"], self.parts["name"])
        if found is None or not self.caller.may_read(found.full_name, private=found.private):
            raise not_found()
        return found

    def commit_of(self, repository: Repository, ref: str | None) -> str:
        """The commit that a ref names; 409 in an empty repository."""
        if not repository.branches:
            raise RefusalError(409, "Git Repository is empty.")
        sha = repository.resolve(ref)
        if sha is None:
            raise RefusalError(422, f"No commit found for SHA: {ref}")
        return sha

    def page(self, rows: Sequence[Any], default: int = 30) -> tuple[list[Any], dict[str, str]]:
        """The asked page of a list and its Link header."""
        try:
            size = min(int(self.param("per_page") or default), _MOST_PER_PAGE)
            number = max(int(self.param("page") or 1), 1)
        except ValueError:
            raise RefusalError(422, "Invalid page or per_page") from None
        last = max(-(-len(rows) // size), 1)
        base = f"{self.root}{self.request.path.partition('?')[0].removeprefix('/api/v3')}"
        links = [
            f'<{base}?per_page={size}&page={to}>; rel="{name}"'
            for name, to in (("next", number + 1), ("last", last), ("first", 1), ("prev", number - 1))
            if (number < last if name in {"next", "last"} else number > 1)
        ]
        return list(rows[(number - 1) * size : number * size]), {"Link": ", ".join(links)} if links else {}
