"""The fake GitHub as a whole: a server, its repositories, and everything with which a test can move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from fake_crm.github.access import Access
from fake_crm.github.app import GitHubApi
from fake_crm.github.errors import injected
from fake_crm.github.limits import Limiter, RateLimits
from fake_crm.github.storage import Storage
from fake_crm.github.world import World
from fake_crm.local_api import LocalApi

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from fake_crm.control import Order
    from fake_crm.faults import Fault
    from fake_crm.github.repository import Repository
    from fake_crm.wire import Reply, Request

__all__ = ["FakeGitHub"]


class FakeGitHub(LocalApi):
    """A strict GitHub on 127.0.0.1: `api_url` is that of an Enterprise server.

    Release files and LFS objects come from `storage`, a server on a port of its own. Without `limits` calls are only
    counted. `LocalApi` says what `latency`, `clock` and `frozen` are.
    """

    def __init__(
        self,
        *,
        tokens: Iterable[str] = ("test-token",),
        limits: RateLimits | None = None,
        latency: float = 0.0,
        clock: datetime | str | None = None,
        frozen: bool | None = None,
        port: int = 0,
        seed: int = 1,  # noqa: ARG002 - every fake takes one; nothing here is made up by chance
    ) -> None:
        super().__init__(latency=latency, clock=clock, frozen=frozen, port=port)
        given = tuple(tokens)
        self.token = given[0] if given else ""
        self.access = Access(self.clock, given)
        self.limiter = Limiter(limits or RateLimits(), self.clock)
        self.storage = Storage()
        self.world = World(self.clock, self.access, self.limiter, self.storage)
        self._api = GitHubApi(self.world)
        self._api.base = self.url

    @property
    def api_url(self) -> str:
        """The root of the API."""
        return f"{self.url}/api/v3"

    def repository(
        self, full_name: str = "acme/crm", files: Mapping[str, bytes | str] | None = None, *, private: bool = False
    ) -> Repository:
        """Make a repository, with a first commit if it has files."""
        return self.world.create(full_name, files, private=private)

    @override
    def start(self) -> Self:
        self.storage.start()
        return super().start()

    @override
    def stop(self) -> None:
        super().stop()
        self.storage.stop()

    @override
    def answer(self, request: Request) -> Reply:
        return self._api.answer(request)

    @override
    def injected(self, fault: Fault) -> Reply | None:
        return injected(fault)

    @override
    def state(self) -> dict[str, Any]:
        return {"repositories": {each.full_name: len(each.files()) for each in self.world.repositories}}

    @override
    def describe(self) -> dict[str, Any]:
        return {"url": self.url, "api_url": self.api_url, "token": self.token, **self.state()}

    @override
    def orders(self) -> Mapping[tuple[str, str], Order]:
        return {("POST", "commit"): self._commit}

    def _commit(self, order: dict[str, Any]) -> dict[str, Any]:
        """Write files (text; null deletes) into a repository, which is made if it does not exist."""
        owner, _, name = str(order["repository"]).partition("/")
        repository = self.world.find(owner, name) or self.world.create(order["repository"])
        made = repository.commit(order["files"], branch=order.get("branch"), message=order.get("message", "Edit"))
        return {"sha": made.sha}
