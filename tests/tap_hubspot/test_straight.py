"""Records that no stream map changes take a short way out; what comes out is the same, byte for byte."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from crmdb_core.messages import BufferedWriter
from fake_crm import FakeCrm
from tap_hubspot.tap import TapHubSpot
from tests.tap_hubspot.conftest import RunTap, config_for

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DESELECTED = (("properties", "url"), ("properties", "properties", "properties", "email"))


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=120, companies=10, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.hubspot.update("companies", crm.hubspot.records("companies")[0]["id"], {"name": "NaN \ud83d\ude00"})
        yield crm


class Writer(BufferedWriter):
    """Counts the records that took the short way."""

    straight = 0

    @override
    def write_record(self, *args: Any) -> None:
        self.straight += 1
        super().write_record(*args)


def lines(crm: FakeCrm, *, deselected: tuple[tuple[str, ...], ...] = (), **settings: Any) -> tuple[list[str], int]:
    """The lines of a run's records, and how many took the short way."""
    config = config_for(crm, parallel_lists=False, **settings)
    catalog = RunTap().catalog(crm, "contacts", "companies")
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            item["metadata"]["selected"] = tuple(item["breadcrumb"]) not in deselected
    with contextlib.redirect_stdout(out := io.StringIO()):
        tap = TapHubSpot(config=config, catalog=catalog)
        for stream in tap.streams.values():
            stream._initialized_at = 1  # the version, which else is the time
        tap.sync_all()
    writer = tap.message_writer
    assert isinstance(writer, Writer)
    return [line for line in out.getvalue().splitlines() if line.startswith('{"type":"RECORD"')], writer.straight


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmdb_core.stream.utc_now", lambda: NOW)
    monkeypatch.setattr(TapHubSpot, "message_writer_class", Writer)


@pytest.mark.parametrize("deselected", [(), DESELECTED], ids=["all", "deselected properties"])
def test_the_short_way_writes_the_same_bytes(
    crm: FakeCrm, monkeypatch: pytest.MonkeyPatch, deselected: tuple[tuple[str, ...], ...]
) -> None:
    straight, number = lines(crm, deselected=deselected)
    assert (number, len(straight)) == (130, 130)
    assert any('"email"' in line for line in straight) is not bool(deselected)
    assert any('"url"' in line for line in straight) is not bool(deselected)
    monkeypatch.setattr("crmdb_core.stream.CrmStream._straight_way", lambda *_: None)
    assert lines(crm, deselected=deselected) == (straight, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"stream_maps": {"contacts": {"id": "'x'"}, "__else__": None}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=["stream maps", "flattening"],
)
def test_what_has_to_be_changed_takes_the_long_way(crm: FakeCrm, settings: dict[str, Any]) -> None:
    changed, number = lines(crm, **settings)
    assert number == 0
    assert changed
    assert all('"id":"x"' in line or '"properties__email"' in line or '"properties__name"' in line for line in changed)


def test_a_stream_beside_a_mapped_one_goes_straight(crm: FakeCrm) -> None:
    written, number = lines(crm, stream_maps={"contacts": {"__filter__": "record['id'] == ''"}})
    assert (number, len(written)) == (10, 10)


def test_max_records_counts_on_the_short_way_too(crm: FakeCrm) -> None:
    written, number = lines(crm, max_records=7)
    assert (number, len(written)) == (14, 14)
