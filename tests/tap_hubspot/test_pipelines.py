"""Pipelines of every pipelined object, and their stages as rows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from fake_crm import FakeCrm, Property, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Json, Run, RunTap

pytestmark = pytest.mark.every_object

STAGES = "pipeline_stages"


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(
        contacts=1, companies=0, deals=0, tickets=0, objects={"orders": 1}, clock="2026-11-01T00:00:00Z"
    ) as crm:
        yield crm


def stages(run: Run) -> dict[tuple[str, str, str], Json]:
    return {(row["object_type"], row["pipeline_id"], row["id"]): row for row in run.records(STAGES)}


def test_stages_are_rows_with_what_their_metadata_says(run_tap: RunTap, crm: FakeCrm) -> None:
    found = stages(run_tap(crm, STAGES))
    won = found["deals", "default", "closedwon"]
    assert (True, Decimal("1.0"), "Sales pipeline", "Closed won") == (
        won["isClosed"],
        won["probability"],
        won["pipeline_label"],
        won["label"],
    )
    assert {"isClosed": "true", "probability": "1.0"} == won["metadata"]
    assert "CLOSED" == found["tickets", "0", "4"]["ticketState"]
    assert ("0-123", False) == (
        found["orders", "orders-pipeline", "orders-new"]["object_type_id"],
        found["orders", "orders-pipeline", "orders-new"]["isClosed"],
    )


def test_custom_objects_have_pipelines_too(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    crm.hubspot.add_pipeline("machines", "m", "Life", [Stage("new", "New", {}), Stage("odd", "Odd", {"isClosed": "?"})])
    run = run_tap(crm, STAGES, "pipelines_p_machines", "order_pipelines")
    assert ["m"] == run.ids("pipelines_p_machines")
    assert ["orders-pipeline"] == run.ids("order_pipelines")
    found = stages(run)
    assert (None, "Odd") == (found["p_machines", "m", "odd"]["isClosed"], found["p_machines", "m", "odd"]["label"])


def test_pipelines_are_fetched_once_for_both_streams(run_tap: RunTap, crm: FakeCrm) -> None:
    run_tap(crm, STAGES, "deal_pipelines", "ticket_pipelines")
    paths = [request.path for request in crm.requests if "/pipelines/" in request.path]
    assert len(paths) == len(set(paths))
    assert {"/crm/pipelines/2026-09/deals", "/crm/pipelines/2026-09/orders"} <= set(paths)


def test_what_is_archived_is_a_delete_if_it_is_listed(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.quirks.archived_pipelines = True
    crm.clock.advance(60)
    crm.hubspot.archive_pipeline("deals", "default", "closedlost")
    crm.hubspot.archive_pipeline("tickets", "0")
    run = run_tap(crm, STAGES, "ticket_pipelines")
    found = stages(run)
    assert "2026-11-01T00:01:00.000Z" == found["deals", "default", "closedlost"]["_sdc_deleted_at"]
    assert found["deals", "default", "closedwon"]["_sdc_deleted_at"] is None
    # a stage of an archived pipeline is gone with it
    assert "2026-11-01T00:01:00.000Z" == found["tickets", "0", "1"]["_sdc_deleted_at"]
    assert "2026-11-01T00:01:00.000Z" == run.records("ticket_pipelines")[0]["_sdc_deleted_at"]


def test_what_is_archived_and_not_listed_is_removed_at_the_end(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.archive_pipeline("deals", "default", "closedlost")
    run = run_tap(crm, STAGES)
    assert ("deals", "default", "closedlost") not in stages(run)
    assert ["RECORD", "ACTIVATE_VERSION"] == [m["type"] for m in run.messages if m.get("stream") == STAGES][-2:]


def test_closed_pipelines_fail_their_own_stream_and_not_that_of_all_stages(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    scopes = ["crm.objects.deals.read", "crm.objects.contacts.read"]
    token = crm.access.add_token("narrow", scopes=scopes)
    all_stages = run_tap(crm, STAGES, catalog=catalog, access_token=token)
    assert all_stages.error is None
    assert {"deals"} == {row["object_type"] for row in all_stages.records(STAGES)}
    assert "ACTIVATE_VERSION" not in {m["type"] for m in all_stages.messages if m.get("stream") == STAGES}
    assert run_tap(crm, "ticket_pipelines", catalog=catalog, access_token=token).error is not None
