"""Rate limits: buckets, headers, the three policies of a 429."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

CONTACTS = "/crm/objects/2026-09/contacts"
RATE = "X-HubSpot-RateLimit-"


class Ticks:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def limited(fake_crm: Callable[..., FakeCrm], ticks: Ticks) -> Callable[..., FakeCrm]:
    return lambda **limits: fake_crm(limits=Limits(**limits), ticks=ticks, clock="2026-11-01T12:00:00Z")


@pytest.mark.parametrize(
    ("tier", "burst", "daily"),
    [("free", "100", "250000"), ("professional", "190", "625000"), ("enterprise", "190", "1000000")],
)
def test_headers_tell_a_tiers_limits(
    fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any], tier: str, burst: str, daily: str
) -> None:
    headers = client_of(fake_crm(tier=tier)).get(CONTACTS).headers
    assert (burst, str(int(burst) - 1)) == (headers[f"{RATE}Max"], headers[f"{RATE}Remaining"])
    assert (daily, str(int(daily) - 1)) == (headers[f"{RATE}Daily"], headers[f"{RATE}Daily-Remaining"])
    assert "10000" == headers[f"{RATE}Interval-Milliseconds"]


def test_searches_carry_no_rate_headers(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    client = client_of(fake_crm(tier="professional"))
    for path in (f"{CONTACTS}/search", "/crm/v4/associations/contacts/companies/batch/read"):
        headers = client.post(path, {"inputs": [{"id": "92"}]} if "assoc" in path else {}).headers
        assert [] == [name for name in headers if name.startswith(RATE)]


def test_oauth_callers_see_no_daily_limit(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = fake_crm(tier="professional")
    headers = client_of(crm, token=crm.access.issue().value).get(CONTACTS).headers
    assert f"{RATE}Max" in headers
    assert f"{RATE}Daily" not in headers


def test_a_burst_is_refused_until_the_window_rolls(
    limited: Callable[..., FakeCrm], client_of: Callable[..., Any], ticks: Ticks
) -> None:
    client = client_of(limited(burst=3))
    statuses = []
    for second in (0, 4, 8, 9, 10):
        ticks.now = second
        statuses.append(client.get(CONTACTS).status_code)
    assert [200, 200, 200, 429, 200] == statuses


def test_a_refused_burst_names_its_policy(limited: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = limited(burst=1)
    client = client_of(crm)
    client.get(CONTACTS)
    response = client.get(CONTACTS)
    body = response.json()
    assert ("RATE_LIMIT", "TEN_SECONDLY_ROLLING") == (body["errorType"], body["policyName"])
    assert "You have reached your ten_secondly_rolling limit." == body["message"]
    assert "0" == response.headers[f"{RATE}Remaining"]
    assert "Retry-After" not in response.headers
    crm.quirks.retry_after = True
    assert 10 <= int(client.get(CONTACTS).headers["Retry-After"]) <= 11


def test_each_app_has_its_own_burst(limited: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = limited(burst=1)
    other = client_of(crm, token=crm.access.add_token("another"))
    assert [200, 200] == [client_of(crm).get(CONTACTS).status_code, other.get(CONTACTS).status_code]


def test_searches_are_limited_per_account_and_second(
    limited: Callable[..., FakeCrm], client_of: Callable[..., Any], ticks: Ticks
) -> None:
    crm = limited(search=2, burst=1)
    one, other = client_of(crm), client_of(crm, token=crm.access.add_token("another"))
    path = f"{CONTACTS}/search"
    assert [200, 200] == [one.post(path, {}).status_code, other.post(path, {}).status_code]
    refused = other.post(path, {})
    assert (429, "SECONDLY") == (refused.status_code, refused.json()["policyName"])
    assert "You have reached your secondly limit." == refused.json()["message"]
    assert 200 == one.get(CONTACTS).status_code  # searches do not count in the burst
    ticks.now = 1
    assert 200 == one.post(path, {}).status_code


def test_the_days_calls_end_at_midnight_of_the_portal(
    limited: Callable[..., FakeCrm], client_of: Callable[..., Any]
) -> None:
    crm = limited(daily=2)
    client = client_of(crm)
    assert [200, 200] == [client.get(CONTACTS).status_code, client.post(f"{CONTACTS}/search", {}).status_code]
    refused = client.get(CONTACTS)
    assert (429, "DAILY", "You have reached your daily limit.") == (
        refused.status_code,
        refused.json()["policyName"],
        refused.json()["message"],
    )
    crm.clock.set("2026-11-02T04:59:59Z")  # 23:59:59 in US/Eastern
    assert 429 == client.get(CONTACTS).status_code
    crm.clock.advance(1)
    assert 200 == client.get(CONTACTS).status_code


def test_what_others_spend_counts_on_the_day(limited: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = limited(daily=10)
    crm.limiter.spend(8)
    client = client_of(crm)
    assert "1" == client.get(CONTACTS).headers[f"{RATE}Daily-Remaining"]
    crm.limiter.spend(5)
    assert 429 == client.get(CONTACTS).status_code


def test_usage_tells_the_days_calls(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    client = client_of(fake_crm(tier="professional", clock="2026-11-01T12:00:00Z"))
    client.get(CONTACTS)
    (row,) = client.get("/account-info/2026-09/api-usage/daily/private-apps").json()["results"]
    assert (625_000, 2, "2026-11-02T00:00:00.000-05:00") == (row["usageLimit"], row["currentUsage"], row["resetsAt"])


def test_the_short_windows_use_real_seconds(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = fake_crm(limits=Limits(search=1, search_seconds=0.05), clock="2026-11-01T12:00:00Z")
    client = client_of(crm)
    statuses = [client.post(f"{CONTACTS}/search", {}).status_code]
    while statuses[-1] != 200 or len(statuses) == 1:  # each takes some real milliseconds: it opens again by itself
        statuses.append(client.post(f"{CONTACTS}/search", {}).status_code)
    assert 200 == statuses[-1]


def test_without_limits_there_are_no_headers(client: Any) -> None:
    assert [] == [name for name in client.get(CONTACTS).headers if name.startswith(RATE)]
