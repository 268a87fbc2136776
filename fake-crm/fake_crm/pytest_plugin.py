"""The fixture door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_crm.github.fake import FakeGitHub
    from fake_crm.hubspot.fake import FakeCrm
    from fake_crm.pipedrive.fake import FakePipedrive
    from fake_crm.salesforce.fake import FakeSalesforce


@pytest.fixture
def fake_crm() -> Iterator[Callable[..., FakeCrm]]:
    """Starts fakes with the options of `FakeCrm`; they stop with the test."""
    # here, so that coverage of the package is not spoilt by pytest's early import of its plugins
    from fake_crm.hubspot.fake import FakeCrm  # noqa: PLC0415 - see above

    started: list[FakeCrm] = []

    def start(**options: Any) -> FakeCrm:
        crm = FakeCrm(**options).start()
        started.append(crm)
        return crm

    yield start
    for crm in started:
        crm.stop()


@pytest.fixture
def fake_hubspot(fake_crm: Callable[..., FakeCrm]) -> FakeCrm:
    """A small HubSpot without limits."""
    return fake_crm()


@pytest.fixture
def fake_salesforce() -> Iterator[Callable[..., FakeSalesforce]]:
    """Starts fakes with the options of `FakeSalesforce`; they stop with the test."""
    from fake_crm.salesforce.fake import FakeSalesforce  # noqa: PLC0415 - as above

    started: list[FakeSalesforce] = []

    def start(**options: Any) -> FakeSalesforce:
        api = FakeSalesforce(**options).start()
        started.append(api)
        return api

    yield start
    for api in started:
        api.stop()


@pytest.fixture
def fake_pipedrive() -> Iterator[FakePipedrive]:
    """A small Pipedrive without limits, whose clock stands."""
    from fake_crm.pipedrive.fake import FakePipedrive  # noqa: PLC0415 - as above

    with FakePipedrive(clock="2026-11-01T00:00:00Z") as crm:
        yield crm


@pytest.fixture
def fake_github() -> Iterator[FakeGitHub]:
    """A GitHub without repositories and limits, whose clock stands."""
    from fake_crm.github.fake import FakeGitHub  # noqa: PLC0415 - see above

    with FakeGitHub(clock="2026-11-01T00:00:00Z") as github:
        yield github
