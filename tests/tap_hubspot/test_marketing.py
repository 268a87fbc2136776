"""Campaigns, marketing emails and subscription types, and the switch for legacy streams."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm
from tap_hubspot.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap

STREAMS = ("campaigns", "marketing_emails", "subscription_types")
LEGACY = {"form_submissions", "email_events", "email_campaigns", "subscription_changes"}


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=40, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


def test_every_record_fits_its_schema(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, *STREAMS)
    assert run.error is None
    for stream in STREAMS:
        assert run.records(stream)
        assert run.misfits(stream) == []


def test_campaigns_come_with_their_properties_typed(run_tap: RunTap, crm: FakeCrm) -> None:
    (row,) = run_tap(crm, "campaigns").records("campaigns")
    shown = {name: value for name, value in row["properties"].items() if value is not None}
    assert shown.pop("hs_object_id").isdecimal()
    assert shown == {
        "hs_name": "Spring",
        "hs_start_date": "2026-04-01",
        "hs_budget_items_sum_amount": Decimal("1500.50"),
    }


def test_a_deleted_campaign_vanishes_with_the_next_run(run_tap: RunTap, crm: FakeCrm) -> None:
    gone = crm.hubspot.add_campaign("Autumn")
    first = run_tap(crm, "campaigns")
    assert gone in first.ids("campaigns")
    crm.hubspot.remove_campaign(gone)
    second = run_tap(crm, "campaigns", state=first.state)
    assert 1 == len(second.ids("campaigns"))
    assert [m["stream"] for m in second.messages if m["type"] == "ACTIVATE_VERSION"] == ["campaigns"]


def test_campaigns_and_emails_come_a_hundred_a_call(run_tap: RunTap, crm: FakeCrm) -> None:
    for number in range(149):
        crm.hubspot.add_campaign(f"Campaign {number}")
        crm.hubspot.add_marketing_email(f"Email {number}")
    run = run_tap(crm, "campaigns", "marketing_emails")
    assert [150, 150] == [len(set(run.ids(stream))) for stream in ("campaigns", "marketing_emails")]
    told = run.state["run"]["streams"]
    # emails: two pages of live ones, one of archived ones
    assert [2, 3] == [told[stream]["calls"] for stream in ("campaigns", "marketing_emails")]


def test_statistics_grow_though_nothing_else_changes(run_tap: RunTap, crm: FakeCrm) -> None:
    first = run_tap(crm, "marketing_emails")
    (email_id,) = first.ids("marketing_emails")
    crm.hubspot.count_email(email_id, open=9)
    second = run_tap(crm, "marketing_emails", state=first.state)
    rows = [run.records("marketing_emails")[0] for run in (first, second)]
    assert [3, 9] == [row["stats"]["counters"]["open"] for row in rows]
    assert rows[0]["updatedAt"] == rows[1]["updatedAt"]
    assert (rows[0]["campaignName"], rows[0]["folderId"]) == ("Spring", "12")


def test_archived_emails_are_marked_as_deleted(run_tap: RunTap, crm: FakeCrm) -> None:
    kept = crm.hubspot.add_marketing_email("Kept")
    gone = crm.hubspot.add_marketing_email("Gone")
    crm.hubspot.archive_marketing_email(gone)
    marks = {row["id"]: row["_sdc_deleted_at"] for row in run_tap(crm, "marketing_emails").records("marketing_emails")}
    assert (None, "2026-11-02T00:00:00.000Z") == (marks[kept], marks[gone])


def test_subscription_types_come_with_translations_in_one_call(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "subscription_types")
    (row,) = run.records("subscription_types")
    assert row["subscriptionTranslations"] == [
        {
            "subscriptionId": "2849",
            "languageCode": "en",
            "name": "News",
            "description": "About News",
            "createdAt": "2026-10-02T00:00:00.000Z",
            "updatedAt": "2026-10-02T00:00:00.000Z",
        }
    ]
    assert 1 == run.state["run"]["streams"]["subscription_types"]["calls"]


def test_a_missing_scope_fails_its_stream_alone(run_tap: RunTap, crm: FakeCrm) -> None:
    token = crm.access.add_token("narrow", scopes=["content"])
    run = run_tap(crm, catalog=run_tap.catalog(crm, *STREAMS), access_token=token)
    failures = run.error.failures  # type: ignore[union-attr]  # SyncFailedError
    assert "marketing.campaigns.read" in str(failures["campaigns"])
    assert "communication_preferences.read" in str(failures["subscription_types"])
    assert run.records("marketing_emails")


def test_legacy_streams_are_there_only_if_asked_for(
    run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture
) -> None:
    def names(**settings: Any) -> set[str]:
        return {entry["tap_stream_id"] for entry in run_tap.catalog(crm, **settings)["streams"]}

    with caplog.at_level("INFO"):
        assert LEGACY.isdisjoint(names())
    assert 1 == len([record for record in caplog.records if "legacy" in record.message])
    assert names(legacy=True) >= LEGACY
    assert not any("/v1/" in request.path for request in crm.requests)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "string"}, 12, "12"),
        ({"type": ["string", "null"]}, True, "true"),
        ({"type": ["string", "null"], "format": "date-time"}, 1_401_975_207_000, "2014-06-05T13:33:27.000Z"),
        ({"type": ["string", "null"], "format": "date-time"}, "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ({"type": ["string", "null"], "format": "date-time"}, "soon", None),
        ({"type": ["integer", "null"]}, "7", 7),
        ({"type": ["integer", "null"]}, "7.5", None),
        ({"type": ["integer", "null"]}, {"a": 1}, None),
        ({"type": ["boolean", "null"]}, "TRUE", True),
        ({"type": ["object", "null"]}, {"a": {"b": [1]}}, {"a": {"b": [1]}}),
        ({"type": ["object", "null"]}, "text", None),
        ({"type": ["array", "null"]}, [{"a": 1}], [{"a": 1}]),
        ({"type": ["array", "null"], "items": {"type": ["string", "null"]}}, [1, None], ["1", None]),
        (
            {"type": ["object", "null"], "properties": {"id": {"type": "string"}}},
            {"id": 5, "x": 1},
            {"id": "5", "x": 1},
        ),
    ],
)
def test_values_get_the_type_of_the_schema(schema: dict[str, Any], value: object, expected: object) -> None:
    typed = Typed({"type": "object", "properties": {"field": schema}})
    assert {"field": expected, "other": value} == typed({"field": value, "other": value})
    assert ("field: 1" if expected is None else "") == str(typed.misfits)
