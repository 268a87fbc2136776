"""25 calls in one: packed as Salesforce allows, in order, and an error of one is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ApiError, ForbiddenError, NotFoundError, RetriesExhaustedError
from fake_crm import FakeSalesforce
from tap_salesforce.composite import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_salesforce.tap import TapSalesforce
    from tests.tap_salesforce.conftest import RunTap

COMPOSITE = "/composite"


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    with FakeSalesforce() as fake:
        yield fake


@pytest.fixture
def tap(run_tap: RunTap, fake: FakeSalesforce) -> TapSalesforce:
    return run_tap.tap(fake)


def packs(fake: FakeSalesforce) -> list[list[str]]:
    """The URLs of each composite call."""
    asked = [request.json for request in fake.requests if request.path.endswith(COMPOSITE)]
    return [[each["url"] for each in one["compositeRequest"]] for one in asked]


def test_calls_are_packed_by_25_and_answered_in_their_order(tap: TapSalesforce, fake: FakeSalesforce) -> None:
    names = ["Account", "Contact", "Lead", "Case", "Task"] * 11
    answers = tap.composite.get([tap.paths.describe(name) for name in names])
    assert [answer.body["name"] for answer in answers] == names
    assert sorted(map(len, packs(fake))) == [5, 25, 25]
    assert fake.usage.used() == 3


def test_no_more_than_five_queries_go_together(tap: TapSalesforce, fake: FakeSalesforce) -> None:
    queries = [f"{tap.paths.query}?q=SELECT+count()+FROM+Account"] * 12
    describes = [tap.paths.describe("Account")] * 3
    answers = tap.composite.get([*queries[:7], *describes, *queries[7:]])
    assert all(answer.ok for answer in answers)
    assert all(sum("/query" in url for url in pack) <= 5 for pack in packs(fake))
    assert len(packs(fake)) == 3


def test_nothing_asked_is_nothing_sent(tap: TapSalesforce, fake: FakeSalesforce) -> None:
    assert tap.composite.get([]) == []
    assert packs(fake) == []


def test_an_error_of_one_is_its_own(tap: TapSalesforce) -> None:
    good, bad = tap.composite.get([tap.paths.describe("Account"), tap.paths.describe("Nothing__c")])
    assert good.ok
    assert not bad.ok
    error = bad.error()
    assert isinstance(error, NotFoundError)
    assert "Nothing__c" in str(error)


@pytest.mark.usefixtures("waits")
def test_a_server_that_is_down_is_not_asked_for_every_call_alone(run_tap: RunTap, fake: FakeSalesforce) -> None:
    tap = run_tap.tap(fake, retry_attempts=2)
    urls = [tap.paths.describe("Account")] * 25
    fault = fake.faults.add(path=COMPOSITE, status=500, times=None)
    with pytest.raises(RetriesExhaustedError):
        tap.composite.get(urls)
    assert fault.hits == 9 * 2


def answering(fake: FakeSalesforce, status: int, code: str, times: int) -> None:
    refusal = [{"errorCode": code, "message": "x"}]
    part = {"body": refusal, "httpHeaders": {}, "httpStatusCode": status, "referenceId": "r0"}
    fake.faults.add(path=COMPOSITE, status=200, body={"compositeResponse": [part]}, times=times)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "UNABLE_TO_LOCK_ROW"), (500, "UNKNOWN_EXCEPTION"), (503, "SERVER_UNAVAILABLE"), (500, "NEW"), (412, "X")],
)
def test_what_passes_is_asked_again_a_few_times(
    waits: list[float], tap: TapSalesforce, fake: FakeSalesforce, status: int, code: str
) -> None:
    answering(fake, status, code, times=2)
    (answer,) = tap.composite.get([tap.paths.describe("Account")])
    assert answer.ok
    assert waits == [2.0, 4.0]
    answering(fake, status, code, times=9)
    (answer,) = tap.composite.get([tap.paths.describe("Account")])
    assert (answer.status, answer.ok) == (status, False)


@pytest.mark.parametrize(("status", "kind"), [(403, ForbiddenError), (404, NotFoundError), (400, ApiError)])
def test_what_does_not_pass_is_the_error_of_a_call_of_its_own(status: int, kind: type[Exception]) -> None:
    body: Any = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "of Ada"}]
    error = Answer(status, body, {}, "/services/data/v68.0/sobjects/X/describe").error()
    assert type(error) is kind
    assert "Ada" not in str(error)
    assert "/sobjects/X/describe" in str(error)


def test_headers_are_those_of_each_subrequest(tap: TapSalesforce, fake: FakeSalesforce) -> None:
    urls = [tap.paths.describe("Account"), tap.paths.describe("Contact")]
    first = tap.composite.get(urls)
    since = [{"If-Modified-Since": first[0].headers["last-modified"]}, {}]
    assert [answer.status for answer in tap.composite.get(urls, since)] == [304, 200]
    assert fake.usage.used() == 2
