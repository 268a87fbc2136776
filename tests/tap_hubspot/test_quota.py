"""The account's daily calls: a share of them is never passed, and what stops there goes on from its STATE (S09)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError, ExitCode, TryLaterError
from fake_crm import FakeCrm, Limits
from tap_hubspot.account import Account
from tap_hubspot.client import daily_use
from tap_hubspot.tap import TapHubSpot

if TYPE_CHECKING:
    from tests.tap_hubspot.conftest import RunTap

NOON = "2026-11-01T12:00:00Z"


def account(limit: int, **sizes: int) -> FakeCrm:
    sizes = {"contacts": 0, "companies": 0, "deals": 0, "tickets": 0} | sizes
    limits, some = Limits(daily=limit), [sizes[name] for name in ("contacts", "companies", "deals", "tickets")]
    return FakeCrm(
        seed=6, contacts=some[0], companies=some[1], deals=some[2], tickets=some[3], limits=limits, clock=NOON
    )


@pytest.mark.parametrize("concurrency", [1, 8])
def test_s09_the_share_is_never_passed_and_the_run_ends_with_state_and_75(run_tap: RunTap, concurrency: int) -> None:
    with account(100, contacts=6000) as crm:
        stopped = run_tap(crm, "contacts", max_daily_share=0.6, concurrency=concurrency)
        assert isinstance(stopped.error, TryLaterError)
        assert stopped.error.exit_code == ExitCode.TRY_LATER
        assert crm.limiter.today == len(crm.requests)
        assert 60 - 2 * concurrency - 4 <= crm.limiter.today <= 60
        assert stopped.state["run"]["status"] == "failed"
        assert "resume" in stopped.state["bookmarks"]["contacts"]


def test_s09_what_the_share_stopped_goes_on_the_next_day(run_tap: RunTap) -> None:
    with account(60, contacts=6000) as crm:
        runs = [run_tap(crm, "contacts", concurrency=4)]
        while runs[-1].error is not None and len(runs) < 5:
            assert isinstance(runs[-1].error, TryLaterError)
            assert crm.limiter.today <= 54
            assert isinstance(run_tap(crm, "contacts", state=runs[-1].state).error, TryLaterError)  # the same day
            crm.clock.advance(86_400)
            runs.append(run_tap(crm, "contacts", state=runs[-1].state, concurrency=4))
        assert len(runs) > 1
        assert run_tap.differences(crm, "contacts", *runs) == []
        read = [one for run in runs for one in run.ids("contacts")]
        assert len(read) < len(set(read)) + 200 * len(runs)


def test_n02_the_end_says_when_the_day_of_the_account_ends(run_tap: RunTap) -> None:
    with account(100, contacts=500) as crm:
        crm.hubspot.account = replace(crm.hubspot.account, time_zone="Europe/Berlin")
        crm.limiter.spend(95)
        error = run_tap(crm, "contacts").error
        assert isinstance(error, TryLaterError)
        assert error.until == datetime(2026, 11, 1, 23, tzinfo=UTC)
        assert "2026-11-02 00:00 CET (2026-11-01 23:00 UTC)" in str(error)
        assert crm.limiter.today == 96  # the account was asked, and nothing else


def test_the_calls_of_others_count(run_tap: RunTap) -> None:
    with account(1000, contacts=2000) as crm:
        seen: list[str] = []

        def others(request: Any) -> None:
            seen.append(request.path)
            if len(seen) == 10:
                crm.limiter.spend(880)

        crm.on_request(others)
        error = run_tap(crm, "contacts", concurrency=1).error
        assert isinstance(error, TryLaterError)
        assert 890 <= crm.limiter.today <= 900


@pytest.mark.parametrize("oauth", [False, True])
def test_s09_hubspots_own_refusal_stops_all_threads(run_tap: RunTap, oauth: bool) -> None:
    with account(1000) as other:
        catalog = run_tap.catalog(other, "contacts", "companies")
    with account(40, contacts=4000, companies=500) as crm:
        access: dict[str, Any] = {}
        if oauth:  # an OAuth app is told no numbers
            access = {"access_token": None, "client_id": crm.access.client_id}
            access |= {"client_secret": crm.access.client_secret, "refresh_token": crm.access.refresh_token}
        else:
            crm.on_request(lambda _: crm.limiter.spend(1))  # others use as much, unseen between two answers
        stopped = run_tap(crm, catalog=catalog, max_daily_share=1, concurrency=8, **access)
        assert isinstance(stopped.error, TryLaterError)
        assert "2026-11-02 00:00 EST (2026-11-02 05:00 UTC)" in str(stopped.error)
        refused = [request.status for request in crm.requests].count(429)
        assert refused <= 8 + 4  # those that were under way, and no second round
        crm.clock.advance(86_400)
        crm.limiter.limits = Limits()
        again = run_tap(crm, catalog=catalog, state=stopped.state, **access)
        assert again.error is None
        assert run_tap.differences(crm, "contacts", stopped, again) == []
        assert run_tap.differences(crm, "companies", stopped, again) == []


def test_a_share_that_others_have_used_up_stops_discovery_too(run_tap: RunTap) -> None:
    with account(1000, contacts=5) as crm:
        crm.limiter.spend(900)
        with pytest.raises(TryLaterError):
            run_tap.catalog(crm)
        assert run_tap.catalog(crm, max_daily_share=1)["streams"]


def test_the_last_line_says_what_is_left(run_tap: RunTap, caplog: pytest.LogCaptureFixture) -> None:
    with account(1000, contacts=300) as crm, caplog.at_level("INFO"):
        assert run_tap(crm, "contacts", concurrency=1).error is None
        assert f"{len(crm.requests)} calls" in caplog.text
        assert f"{1000 - len(crm.requests)} of 1,000 calls left today" in caplog.text


@pytest.mark.parametrize("share", [0, -0.1, 1.1, "much"])
def test_a_share_is_between_nothing_and_all(share: object) -> None:
    with pytest.raises(ConfigError, match="max_daily_share"):
        TapHubSpot(config={"access_token": "t", "max_daily_share": share})


# the numbers


@pytest.mark.parametrize(
    ("daily", "remaining", "left"),
    [("625000", "612000", 612_000), ("625000", "0", 0), (None, "5", None), ("5", None, None), ("x", "y", None)],
)
def test_the_headers_are_read(daily: str | None, remaining: str | None, left: int | None) -> None:
    given = {"X-HubSpot-RateLimit-Daily": daily, "X-HubSpot-RateLimit-Daily-Remaining": remaining}
    use = daily_use({name: text for name, text in given.items() if text is not None})
    assert left == (None if use is None else use.remaining)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"timeZone": "US/Eastern"}, "2026-11-01T04:00:00+00:00"),
        ({"timeZone": "Mars/Olympus", "utcOffsetMilliseconds": -18_000_000}, "2026-11-01T05:00:00+00:00"),
        ({"utcOffsetMilliseconds": 3_600_000}, "2026-10-31T23:00:00+00:00"),
        ({"timeZone": "../etc/passwd"}, None),
        ({}, None),
    ],
)
def test_midnight_is_the_accounts_own(details: dict[str, Any], expected: str | None) -> None:
    # the night in which summer time ends in the US
    midnight = Account.of(details).next_midnight(datetime(2026, 10, 31, 12, tzinfo=UTC))
    assert expected == (None if midnight is None else midnight.astimezone(UTC).isoformat())
