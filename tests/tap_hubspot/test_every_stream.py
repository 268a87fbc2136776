"""Every record of every stream is what its SCHEMA says, and every object arrives whole."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from fake_crm import FakeCrm, Property
from fake_crm.hubspot.kinds import STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

pytestmark = pytest.mark.every_object

EACH = 12


@pytest.fixture(scope="module")
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=6, objects={kind.name: EACH for kind in STANDARD}) as crm:
        crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
        crm.fill("machines", EACH)
        for kind in STANDARD:
            crm.hubspot.archive(kind.name, crm.hubspot.records(kind.name)[0]["id"])
        crm.hubspot.archive_property("contacts", "customer_score")
        crm.hubspot.archive_pipeline("deals", "default", "closedlost")
        crm.quirks.archived_pipelines = True
        yield crm


def validator_of(schema: dict[str, Any]) -> Any:
    formats = jsonschema.FormatChecker(["date"])
    formats.checks("date-time", ValueError)(
        lambda text: text is None or datetime.fromisoformat(text).tzinfo is not None
    )
    return jsonschema.Draft7Validator(schema, format_checker=formats)


def faults(run: Run) -> list[str]:
    """What does not fit the SCHEMA of its stream, undeclared fields of the top level included."""
    schemas = {m["stream"]: m["schema"] for m in run.messages if m["type"] == "SCHEMA"}
    validators = {name: validator_of(schema) for name, schema in schemas.items()}
    found = []
    for message in run.messages:
        if message["type"] == "RECORD":
            name, record = message["stream"], message["record"]
            found += [f"{name}: {error.message}" for error in validators[name].iter_errors(record)]
            found += [
                f"{name}: {field} is not declared" for field in record.keys() - schemas[name]["properties"].keys()
            ]
    return found


def test_every_record_of_every_stream_fits_its_schema(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm)
    assert run.error is None
    assert [] == faults(run)
    keys = {m["stream"]: m["key_properties"] for m in run.messages if m["type"] == "SCHEMA"}
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for message in run.messages:
        if message["type"] == "RECORD":
            rows[message["stream"]].append(tuple(message["record"][key] for key in keys[message["stream"]]))
    assert set(keys) == set(rows), set(keys) - set(rows)  # no stream is without a record
    assert {} == {name: len(ids) - len(set(ids)) for name, ids in rows.items() if len(ids) != len(set(ids))}


@pytest.mark.parametrize("name", [*(kind.name for kind in STANDARD), "machines"])
def test_an_object_arrives_whole_with_its_archived_records(run_tap: RunTap, crm: FakeCrm, name: str) -> None:
    stream = f"p_{name}" if name == "machines" else name
    run = run_tap(crm, stream)
    differences = run_tap.differences(crm, stream, run)
    assert [] == differences
    gone = [record["id"] for record in run.records(stream) if record["_sdc_deleted_at"]]
    assert [record["id"] for record in crm.hubspot.archived(stream)] == gone
