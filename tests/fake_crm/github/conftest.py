"""A plain HTTP client for the fake GitHub."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_crm import FakeGitHub

API = "/api/v3"


@dataclass
class Asker:
    """Calls one fake with one token."""

    github: FakeGitHub
    token: str | None
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, *, headers: dict[str, str] | None = None, **params: Any) -> requests.Response:
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.session.get(
            self.github.api_url + path,
            params=params,
            headers={**given, **(headers or {})},
            timeout=20,
            allow_redirects=False,
        )


@pytest.fixture
def ask(fake_github: FakeGitHub) -> Iterator[Asker]:
    asker = Asker(fake_github, fake_github.token)
    yield asker
    asker.session.close()


@pytest.fixture
def ask_as_nobody(fake_github: FakeGitHub) -> Iterator[Asker]:
    asker = Asker(fake_github, None)
    yield asker
    asker.session.close()
