"""REST and the Bulk API give the same bytes for every record of every object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import Run, RunTap

BULK_REFUSES = {"AccountFeed", "EntityDefinition", "TaskStatus"}


@pytest.fixture(scope="module")
def crm() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(clock="2026-11-01T00:00:00Z", extra_fields=5) as crm:
        crm.clock.advance(3600)
        name = "Everything__c"
        one, other, *_ = (str(record["Id"]) for record in crm.org.records(name))
        crm.org.delete(name, one)
        crm.org.update("Account", str(crm.org.records("Account")[0]["Id"]), {"Name": 'odd "x",\r\n\n\x00 \u2028 NA'})
        crm.org.update(name, other, {"Name": "0.0"})
        crm.clock.advance(3600)
        yield crm


def names(crm: FakeSalesforce) -> list[str]:
    closed = {"Vote", "ContentDocumentLink", "FieldDefinition", "UserFieldAccess"}
    return [name for name in crm.org.counts() if name not in closed]


def records(run: Run, stream: str) -> list[str]:
    found = [json.dumps(record, default=str) for record in run.records(stream)]
    return sorted(found)


def test_every_record_of_every_object_is_the_same(run_tap: RunTap, crm: FakeSalesforce) -> None:
    made: list[Any] = []
    crm.on_request(lambda request: made.append(request.path) if request.method == "POST" else None)
    streams = names(crm)
    rest = run_tap(crm, *streams, api_type="rest", blobs=True)
    assert not any("/jobs/query" in path for path in made)
    bulk = run_tap(crm, *streams, api_type="bulk", blobs=True)
    assert rest.error is None
    assert bulk.error is None
    jobs = sum("/jobs/query" in path for path in made)
    assert jobs == len(streams)
    differ = {name for name in streams if records(rest, name) != records(bulk, name)}
    assert differ == set()
    assert all(records(rest, name) for name in streams)


def test_they_are_the_same_line_for_line(run_tap: RunTap, crm: FakeSalesforce) -> None:
    """Not only the same values: the order of the fields and the digits too, whichever wire they came over."""
    found = {
        api: {
            record["Id"]: list(record.items())
            for record in run_tap(crm, "Everything__c", api_type=api).records("Everything__c")
        }
        for api in ("rest", "bulk")
    }
    assert found["rest"]
    assert {one: repr(record) for one, record in found["rest"].items()} == {
        one: repr(record) for one, record in found["bulk"].items()
    }
