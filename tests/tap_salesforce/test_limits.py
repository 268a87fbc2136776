"""The org's limits: read from both forms of the header, never drawn beyond the shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode, TryLaterError
from crmdb_core.quota import Use
from fake_crm import FakeSalesforce
from fake_crm.salesforce.limits import Limits as OrgLimits
from tap_salesforce.limits import HEADER, RunQuota, bursts_in, usage_in

if TYPE_CHECKING:
    from tests.tap_salesforce.conftest import RunTap

OLD, NEW, OF_APP = "", "; api-bursts=1/750", "; per-app-api-usage=17/250(appName=x)"


@pytest.mark.parametrize(
    ("header", "use"),
    [
        ("api-usage=10018/100000", Use(100_000, 89_982)),
        ("api-usage=10018/100000; api-bursts=1/750", Use(100_000, 89_982)),
        ("api-usage=118/15000; per-app-api-usage=17/250(appName=x)", Use(250, 233)),
        ("api-usage=14900/15000; per-app-api-usage=17/250(appName=x)", Use(15_000, 100)),
        ("api-usage=0/0", None),
        ("", None),
        ("something else", None),
    ],
)
def test_every_form_of_the_header_is_read(header: str, use: Use | None) -> None:
    assert usage_in({HEADER: header} if header else {}) == use


def test_bursts_are_read_apart() -> None:
    assert bursts_in({HEADER: "api-usage=1/2; api-bursts=749/750"}) == Use(750, 1)
    assert bursts_in({HEADER: "api-usage=1/2"}) is None


def answered(quota: RunQuota, used: int, limit: int) -> None:
    quota.settle(quota.reserve(), {HEADER: f"api-usage={used}/{limit}"})


@pytest.mark.parametrize(("run_share", "calls"), [(0.1, 10), (0.29, 29), (1.0, 80)])
def test_a_run_stops_at_its_share_or_at_everybodys(run_share: float, calls: int) -> None:
    quota = RunQuota(share=0.8, run_share=run_share)
    answered(quota, 1, 100)
    made = 1
    with pytest.raises(TryLaterError) as raised:  # noqa: PT012 - the call that is one too many is found so
        while True:
            answered(quota, made + 1, 100)
            made += 1
    assert made == calls
    assert ("max_run_share" in str(raised.value)) is (run_share < 0.8)
    assert quota.left_for_us == 0
    with pytest.raises(TryLaterError):
        quota.reserve()


def test_what_others_use_counts_for_everybody_only() -> None:
    quota = RunQuota(share=0.8, run_share=0.25)
    answered(quota, 70, 100)
    assert (quota.left, quota.left_for_us) == (30, 10)
    assert quota.describe() == "30 of 100 calls of 24 hours left"


@pytest.mark.parametrize("form", [OLD, NEW, OF_APP])
def test_s09_a_share_that_is_used_up_stops_the_run_with_state_and_75(run_tap: RunTap, form: str) -> None:
    """Singer's other taps let the limit run out where the header has its second part."""
    with FakeSalesforce(sizes={"Account": 450}, limits=OrgLimits(api_requests=2000)) as fake:
        fake.quirks.bursts, fake.quirks.per_app = form == NEW, form == OF_APP
        fake.quirks.page_rows = 50
        fake.usage.spend(1_594)
        settings: dict[str, Any] = {"api_type": "rest", "concurrency": 1, "cache_dir": "none"}
        run = run_tap(fake, "Account", **settings)
        assert isinstance(run.error, TryLaterError)
        assert run.error.exit_code == ExitCode.TRY_LATER
        assert "max_daily_share" in str(run.error)
        assert fake.usage.used() <= 1_600
        assert run.bookmark("Account") is None
        fake.clock.advance(25 * 3600)
        rest = run_tap(fake, "Account", state=run.state, **settings)
        assert rest.error is None
        both = {*run.ids("Account"), *rest.ids("Account")}
        assert both == {record["Id"] for record in fake.org.records("Account")}


def test_a06_calls_that_are_used_up_stop_every_stream_and_are_no_matter_of_access(run_tap: RunTap) -> None:
    with FakeSalesforce(limits=OrgLimits(api_requests=2000)) as fake:
        fake.usage.spend(2000)
        run = run_tap(fake, "Account", "Contact", max_daily_share=1)
        assert isinstance(run.error, TryLaterError)
        assert "24 hours" in str(run.error)
        assert sum(request.status == 403 for request in fake.requests) == 1


def test_a06_too_many_long_calls_are_waited_for(run_tap: RunTap, waits: list[float]) -> None:
    with FakeSalesforce() as fake:
        body = [
            {
                "errorCode": "REQUEST_LIMIT_EXCEEDED",
                "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            }
        ]
        fake.faults.add(path="/composite|/query", status=403, body=body, times=2)
        run = run_tap(fake, "Account", api_type="rest")
        assert run.error is None
        assert waits.count(20.0) == 2


def test_the_burst_limit_slows_the_run_down_before_it_is_met(run_tap: RunTap) -> None:
    with FakeSalesforce(sizes={"Account": 300}) as fake:
        tap = run_tap.tap(fake)
        tap.session.get_json(tap.paths.limits)
        assert tap.session.stats.waited == 0
        header = {HEADER: "api-usage=5/15000; api-bursts=700/750"}
        fake.faults.add(path="/limits", status=200, body={}, headers=header)
        tap.session.get_json(tap.paths.limits)
        tap.session.get_json(tap.paths.limits)
        assert 0.5 < tap.session.stats.waited <= 1.0


def test_all_limits_are_known_by_one_call(run_tap: RunTap) -> None:
    with FakeSalesforce(limits=OrgLimits(bulk_jobs=7, bulk_megabytes=9)) as fake:
        limits = run_tap.tap(fake).limits
        assert (limits.bulk_jobs_left, limits.bulk_megabytes_left) == (7, 9)
        usage = limits.usage()
        assert usage is not None
        assert usage.limit == 15_000
        assert fake.usage.used() == 1


def test_record_counts_are_known_by_one_call(run_tap: RunTap) -> None:
    with FakeSalesforce(sizes={"Account": 70}) as fake:
        limits = run_tap.tap(fake).limits
        assert limits.record_counts(["Account", "Nothing__c"]) == {"Account": 70}
        assert limits.record_counts()["Contact"] == 100
        assert fake.usage.used() == 1


def test_limits_that_the_user_may_not_see_are_unknown(run_tap: RunTap) -> None:
    with FakeSalesforce() as fake:
        fake.faults.add(path="/limits", status=403, policy="INSUFFICIENT_ACCESS", times=None)
        limits = run_tap.tap(fake).limits
        assert limits.bulk_jobs_left is None
        assert limits.record_counts() == {}
