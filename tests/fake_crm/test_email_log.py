"""The legacy email APIs: newest first, both times included, opaque offsets."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm
    from tests.fake_crm.conftest import Client

hubspot: Any = importlib.import_module("hubspot")
EVENTS = "/email/public/v1/events"
TIMELINE = "/email/public/v1/subscriptions/timeline"
CAMPAIGNS = "/email/public/v1/campaigns"
NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z


@pytest.fixture
def crm(fake_crm: Callable[..., FakeCrm]) -> FakeCrm:
    """An empty account to which five events come, two of them at the same time."""
    crm = fake_crm(contacts=0, companies=0, deals=0, tickets=0, clock="2026-11-01T13:00:00Z")
    for minute in (0, 1, 1, 2, 3):
        crm.hubspot.add_email_event("SENT", f"{minute}@example.com", at=f"2026-11-01T12:0{minute}:00Z")
    return crm


def pages(client: Client, path: str, name: str, **query: Any) -> list[list[Any]]:
    found: list[list[Any]] = []
    answer = client.get(path, **query).json()
    found.append(answer[name])
    while answer["hasMore"]:
        answer = client.get(path, **query, offset=answer["offset"]).json()
        found.append(answer[name])
    return found


def test_events_come_newest_first_by_opaque_offsets(client: Client, crm: FakeCrm) -> None:
    got = pages(client, EVENTS, "events", limit=2)
    assert [2, 2, 1] == [len(page) for page in got]
    assert [row["id"] for row in reversed(crm.hubspot.email_events)] == [row["id"] for page in got for row in page]


def test_both_times_are_included(client: Client) -> None:
    (got,) = pages(client, EVENTS, "events", startTimestamp=NOON + 60_000, endTimestamp=NOON + 120_000)
    assert [NOON + 120_000, NOON + 60_000, NOON + 60_000] == [row["created"] for row in got]


def test_an_offset_goes_on_after_its_row_whatever_is_new(client: Client, crm: FakeCrm) -> None:
    first = client.get(EVENTS, limit=2).json()
    crm.hubspot.add_email_event("OPEN", "new@example.com")
    rest = client.get(EVENTS, limit=10, offset=first["offset"]).json()
    assert [NOON + 60_000, NOON + 60_000, NOON] == [row["created"] for row in rest["events"]]


@pytest.mark.parametrize(
    "query", [{"limit": 1001}, {"limit": 0}, {"offset": "x"}, {"startTimestamp": "soon"},
              {"startTimestamp": 2, "endTimestamp": 1}, {"since": 1}]
)  # fmt: skip
def test_events_are_refused(client: Client, query: dict[str, Any]) -> None:
    assert 400 == client.get(EVENTS, **query).status_code


def test_an_offset_of_another_query_is_refused(client: Client) -> None:
    offset = client.get(EVENTS, limit=1).json()["offset"]
    assert 400 == client.get(EVENTS, endTimestamp=NOON, offset=offset).status_code


def test_events_can_be_filtered(client: Client, crm: FakeCrm) -> None:
    crm.hubspot.add_email_event("OPEN", "0@example.com", filteredEvent=True)
    assert 2 == len(client.get(EVENTS, recipient="0@example.com").json()["events"])
    assert 1 == len(client.get(EVENTS, eventType="OPEN").json()["events"])
    assert [] == client.get(EVENTS, eventType="OPEN", excludeFilteredEvents="true").json()["events"]


def test_the_timeline_is_such_a_log_too(client: Client, crm: FakeCrm) -> None:
    crm.hubspot.add_subscription_change("a@example.com", at="2026-11-01T12:00:00Z")
    crm.hubspot.add_subscription_change("b@example.com", "BOUNCED", kind="PORTAL_BOUNCE")
    got = pages(client, TIMELINE, "timeline", limit=1)
    assert ["b@example.com", "a@example.com"] == [page[0]["recipient"] for page in got]
    assert {"timestamp", "portalId", "recipient", "changes"} == got[0][0].keys()
    assert 1 == len(client.get(TIMELINE, changeType="PORTAL_BOUNCE").json()["timeline"])


def test_campaigns_are_listed_by_id_and_read_one_by_one(client: Client, crm: FakeCrm) -> None:
    ids = [crm.hubspot.add_email_campaign(f"C{at}") for at in range(3)]
    got = pages(client, f"{CAMPAIGNS}/by-id", "campaigns", limit=2)
    assert (ids, {"id", "appId", "appName", "lastUpdatedTime"}) == (
        [str(row["id"]) for page in got for row in page],
        set(got[0][0]),
    )
    assert {"sent": 1, "delivered": 1} == client.get(f"{CAMPAIGNS}/{ids[0]}", appId=113).json()["counters"]
    assert 404 == client.get(f"{CAMPAIGNS}/{ids[0]}", appId=5).status_code == client.get(f"{CAMPAIGNS}/1").status_code


def test_the_vendors_client_reads_them_by_raw_requests(crm: FakeCrm) -> None:
    vendor = hubspot.Client.create(access_token=crm.token, host=crm.url, base_url=crm.url)
    answer = vendor.api_request({"path": EVENTS, "qs": {"limit": 1000}}).json()
    assert (5, False) == (len(answer["events"]), answer["hasMore"])
