"""Discovery: few calls, only what changed, custom objects and fields, and one bad object is no more than a warning."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError, ExitCode, SyncFailedError, TryLaterError
from fake_crm import FakeSalesforce
from fake_crm.salesforce.fields import pick, text
from tests.tap_salesforce.conftest import config_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.tap_salesforce.conftest import RunTap

Json = dict[str, Any]
COMPOSITE = "/composite"


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    with FakeSalesforce() as fake:
        fake.quirks.gzip = False  # answers are looked into
        yield fake


def names(catalog: Json) -> list[str]:
    return [entry["tap_stream_id"] for entry in catalog["streams"]]


def counted(fake: FakeSalesforce) -> int:
    return fake.usage.used()


def statuses_within(fake: FakeSalesforce, do: Callable[[], object]) -> list[int]:
    """The statuses of all subrequests while something is done."""
    found: list[int] = []
    answer = fake.answer

    def noting(request: Any) -> Any:
        reply = answer(request)
        if request.path.endswith(COMPOSITE):
            found.extend(each["httpStatusCode"] for each in json.loads(reply.body)["compositeResponse"])
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fake, "answer", noting)
        do()
    return found


@pytest.mark.parametrize("concurrency", [1, 8])
def test_three_hundred_objects_take_a_twentieth_of_the_calls(run_tap: RunTap, concurrency: int) -> None:
    with FakeSalesforce(extra_objects=300, extra_records=0, empty=True) as fake:
        catalog = run_tap.catalog(fake, concurrency=concurrency)
        offered = len(names(catalog))
        assert offered > 300
        assert counted(fake) == -(-offered // 25) + 1


def test_custom_objects_and_fields_are_found(run_tap: RunTap, fake: FakeSalesforce) -> None:
    catalog = run_tap.catalog(fake, streams=["*"])
    assert {"Account", "Everything__c", "Reading__b"} <= set(names(catalog))
    schema = next(each for each in catalog["streams"] if each["tap_stream_id"] == "Everything__c")["schema"]
    kinds = {
        name: schema["properties"][name].get("format") for name in ("Day__c", "Moment__c", "Hour__c", "Account__c")
    }
    assert kinds == {"Day__c": "date", "Moment__c": "date-time", "Hour__c": "time", "Account__c": None}
    assert "refers to Account" in schema["properties"]["Account__c"]["description"]
    assert schema["properties"]["Money__c"]["description"] == "currency of 18 digits, 2 of them behind the point"


def test_objects_have_their_keys(run_tap: RunTap, fake: FakeSalesforce) -> None:
    by_name = {entry["tap_stream_id"]: entry for entry in run_tap.catalog(fake, streams=["*"])["streams"]}
    assert list(by_name["Account"]["key_properties"]) == ["Id"]
    assert by_name["Account"]["replication_key"] == "SystemModstamp"
    assert by_name["AccountHistory"]["replication_key"] == "CreatedDate"
    assert by_name["LoginHistory"]["replication_key"] == "LoginTime"
    assert list(by_name["Reading__b"]["key_properties"]) == []
    assert by_name["Reading__b"].get("replication_key") is None


def test_what_cannot_be_read_is_left_out_and_told(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    found = names(run_tap.catalog(fake, streams=["*"]))
    assert not {"ContentDocumentLink", "Vote", "FieldDefinition", "UserFieldAccess"} & set(found)
    told = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert any("ContentDocumentLink" in line and "filter" in line for line in told)


def test_patterns_choose(run_tap: RunTap, fake: FakeSalesforce) -> None:
    catalog = run_tap.catalog(fake, streams=["Account*", "!*Share"])
    assert names(catalog) == ["Account", "AccountFeed", "AccountHistory"]


def test_without_patterns_the_usual_objects_are_streams(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    found = set(names(run_tap.catalog(fake)))
    assert {"Account", "Contact", "User", "Everything__c"} <= found
    assert not {"AccountShare", "AccountFeed", "Profile", "Reading__b"} & found
    assert any("more objects could be read" in record.getMessage() for record in caplog.records)


def test_only_what_changed_is_sent_again(run_tap: RunTap, fake: FakeSalesforce) -> None:
    first = run_tap.catalog(fake)
    again: list[Json] = []
    statuses = statuses_within(fake, lambda: again.append(run_tap.catalog(fake)))
    assert set(statuses) == {304}
    assert again == [first]
    fake.clock.advance(60)
    fake.org.add_field("Account", text("Since__c"))
    statuses = statuses_within(fake, lambda: again.append(run_tap.catalog(fake)))
    assert 1 <= statuses.count(200) <= 2  # the object, and perhaps the list of all
    schema = next(each for each in again[-1]["streams"] if each["tap_stream_id"] == "Account")["schema"]
    assert "Since__c" in schema["properties"]


def test_a_cache_holds_nothing_but_descriptions(run_tap: RunTap, fake: FakeSalesforce, own_cache: Path) -> None:
    run_tap(fake, "Account")
    (file,) = (own_cache / "tap-salesforce").glob("*.sqlite")
    assert file.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(file) as database:
        paths = [path for (path,) in database.execute("SELECT path FROM kept")]
    database.close()
    assert paths
    assert all(path.endswith(("/sobjects", "/describe")) for path in paths)


def test_no_cache_is_kept_where_none_is_wanted(run_tap: RunTap, fake: FakeSalesforce, own_cache: Path) -> None:
    run_tap.catalog(fake, cache_dir="none")
    assert not own_cache.exists()


def test_what_another_user_may_see_is_not_taken_from_the_cache(run_tap: RunTap, fake: FakeSalesforce) -> None:
    run_tap.catalog(fake)
    other = {"refresh_token": fake.refresh_token}
    statuses = statuses_within(fake, lambda: run_tap.catalog(fake, **other))
    assert set(statuses) == {200}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [400, 404, 500])
def test_one_bad_object_is_a_warning(
    run_tap: RunTap,
    fake: FakeSalesforce,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    spoil(fake, monkeypatch, "Lead", status)
    found = names(run_tap.catalog(fake))
    assert "Lead" not in found
    assert {"Account", "Contact"} <= set(found)
    assert any("Lead is left out" in record.getMessage() for record in caplog.records)


def spoil(fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch, name: str, status: int) -> None:
    """Let the description of one object be refused within composite calls."""
    answer = fake.answer

    def spoiling(request: Any) -> Any:
        reply = answer(request)
        if not request.path.endswith(COMPOSITE):
            return reply
        body = json.loads(reply.body)
        places = json.loads(request.body)["compositeRequest"]
        for asked, given in zip(places, body["compositeResponse"], strict=True):
            if asked["url"].endswith(f"/{name}/describe"):
                refusal = [{"errorCode": "UNKNOWN_EXCEPTION" if status == 500 else "NOT_FOUND", "message": "x"}]
                given.update(body=refusal, httpStatusCode=status)
        return type(reply)(reply.status, json.dumps(body).encode(), reply.headers)

    monkeypatch.setattr(fake, "answer", spoiling)


def test_a_bad_object_that_was_chosen_fails_the_run_at_its_end(
    run_tap: RunTap, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(fake, monkeypatch, "Lead", 404)
    run = run_tap(fake, "Lead", "Contact")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["Lead"]
    assert len(run.records("Contact")) > 0


@pytest.mark.usefixtures("waits")
def test_n06_a_call_that_one_object_spoils_is_halved_until_it_stands_alone(
    run_tap: RunTap, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = fake.answer

    def poisoned(request: Any) -> Any:
        if request.path.endswith(COMPOSITE) and b"/Lead/describe" in request.body:
            return type(answer(request))(500, b'[{"errorCode": "UNKNOWN_EXCEPTION", "message": "x"}]', {})
        return answer(request)

    monkeypatch.setattr(fake, "answer", poisoned)
    found = names(run_tap.catalog(fake, retry_attempts=2))
    assert "Lead" not in found
    assert {"Account", "Contact", "User"} <= set(found)


def test_a_catalog_asks_for_what_it_selects_only(run_tap: RunTap, fake: FakeSalesforce) -> None:
    catalog = run_tap.catalog(fake, "Account", "Contact", streams=["Account", "Contact"], cache_dir="none")
    before = len(fake.requests)
    statuses = statuses_within(fake, lambda: run_tap(fake, catalog=catalog, cache_dir="none"))
    assert statuses[:2] == [200, 200]
    assert sum(request.path.endswith("/sobjects") for request in list(fake.requests)[before:]) == 0


@pytest.mark.parametrize("refresh", [True, False])
def test_s10_a_catalog_follows_the_org(run_tap: RunTap, fake: FakeSalesforce, refresh: bool) -> None:
    catalog = run_tap.catalog(fake, "Account", streams=["Account"])
    fake.clock.advance(60)
    fake.org.add_field("Account", text("Since__c"))
    run = run_tap(fake, catalog=catalog, refresh_schema=refresh)
    assert run.error is None
    assert ("Since__c" in run.schema("Account")["properties"]) is refresh
    assert ("Since__c" in run.records("Account")[0]) is refresh


@pytest.mark.parametrize("refresh", [True, False])
def test_s11_a_new_picklist_value_is_no_misfit(run_tap: RunTap, fake: FakeSalesforce, refresh: bool) -> None:
    fake.org.add_field("Account", pick("Size__c", "small", restricted=True))
    catalog = run_tap.catalog(fake, "Account", streams=["Account"])
    fake.clock.advance(60)
    fake.org.add_field("Account", pick("Size__c", "small", "huge", restricted=True))
    made = fake.org.create("Account", {"Name": "new", "Size__c": "huge"})
    fake.clock.advance(60)
    run = run_tap(fake, catalog=catalog, refresh_schema=refresh)
    assert run.error is None
    assert run.misfits("Account") == []
    assert next(record for record in run.records("Account") if record["Id"] == made)["Size__c"] == "huge"
    told = run.schema("Account")["properties"]["Size__c"]["description"]
    assert ("huge" in told) is refresh


def test_an_object_of_the_catalog_that_is_gone_fails_at_the_end(run_tap: RunTap, fake: FakeSalesforce) -> None:
    catalog = run_tap.catalog(fake, "Account", "Contact", streams=["Account", "Contact"])
    catalog["streams"].append(json.loads(json.dumps(catalog["streams"][0]).replace("Account", "Gone__c")))
    run = run_tap(fake, catalog=catalog)
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["Gone__c"]
    assert run.records("Contact")


def test_a_refused_list_of_objects_ends_the_run(run_tap: RunTap, fake: FakeSalesforce) -> None:
    fake.faults.add(path=COMPOSITE, status=403, policy="API_DISABLED_FOR_ORG", times=None)
    error = run_tap(fake).error
    assert error is not None
    assert "API Enabled" in str(error)


def test_s09_a_used_up_quota_in_a_subrequest_ends_discovery_with_75(run_tap: RunTap, fake: FakeSalesforce) -> None:
    refusal = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    part = {"body": refusal, "httpHeaders": {}, "httpStatusCode": 403, "referenceId": "r0"}
    fake.faults.add(path=COMPOSITE, status=200, body={"compositeResponse": [part]})
    error = run_tap(fake).error
    assert isinstance(error, TryLaterError)
    assert error.exit_code == ExitCode.TRY_LATER


def test_s14_the_version_falls_back_to_what_the_org_offers(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    fake.quirks.newest_version = 66
    run = run_tap(fake, "Account")
    assert run.error is None
    assert any("read by 66.0" in record.getMessage() for record in caplog.records)
    assert any("/v66.0/" in request.path for request in fake.requests)
    assert not any("/v68.0/" in request.path for request in fake.requests)


def test_s14_a_version_whose_end_is_near_is_told_of(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    run_tap(fake, "Account", api_version="v40.0")
    assert any("retired from Summer '28" in record.getMessage() for record in caplog.records)


def test_s14_a_version_that_is_gone_is_a_matter_of_settings(run_tap: RunTap, fake: FakeSalesforce) -> None:
    error = run_tap(fake, "Account", api_version="29.0").error
    assert isinstance(error, ConfigError)
    assert "31.0 to 68.0" in str(error)


def test_settings_are_checked_before_anything_is_asked(run_tap: RunTap, fake: FakeSalesforce) -> None:
    config = config_for(fake, api_version="68", api_type="soap", refresh_token="x", access_token="y")
    error = run_tap(fake, **config).error
    assert isinstance(error, ConfigError)
    assert len(error.errors) >= 2
    assert len(fake.requests) == 0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ContentDocumentLink", "give one in `where`"),
        ("AccountChangeEvent", "cannot be queried"),
        ("Acount", "no such object"),
    ],
)
def test_an_object_that_was_named_and_cannot_be_read_fails_the_run(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture, name: str, told: str
) -> None:
    """Else a typing error looks like an org without records."""
    run = run_tap(fake, name, "Contact")
    assert isinstance(run.error, SyncFailedError)
    assert [name] == list(run.error.failures)
    assert any(name in record.getMessage() and told in record.getMessage() for record in caplog.records)
    assert len(run.records("Contact")) > 0


def test_a_pattern_that_matches_nothing_is_told_of(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_tap(fake, streams=["Acount*", "Content*", "!Lead"])
    assert run.error is None
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any("Acount*" in line for line in told)
    assert not any("Content" in line or "Lead" in line for line in told)


@pytest.mark.parametrize("has_catalog", [False, True])
def test_a_filter_of_no_object_is_told_of(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture, has_catalog: bool
) -> None:
    """Its author believes that fewer records leave the org."""
    catalog = run_tap.catalog(fake, "Account", streams=["Account"]) if has_catalog else None
    run = run_tap(fake, "Account", catalog=catalog, where={"Acount": "Name != null"})
    assert run.error is None
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any("where" in line and "Acount" in line for line in told)


def test_an_object_that_was_named_and_is_not_in_the_catalog_is_told_of(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    """Meltano discovers apart, and shows nothing of that."""
    catalog = run_tap.catalog(fake, "Account", streams=["Account"])
    run = run_tap(fake, "Account", "Acount", catalog=catalog)
    assert run.error is None
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any("`streams` names Acount" in line for line in told)
