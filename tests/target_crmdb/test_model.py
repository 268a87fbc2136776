"""Random messages against an independent model: the table, and the sum of outcomes, come out the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

Row = dict[str, Any]


def day(number: int) -> str:
    return f"2026-01-{number:02d}T00:00:00Z"


records = st.fixed_dictionaries(
    {"id": st.sampled_from("abc")},
    optional={
        "at": st.none() | st.integers(1, 4).map(day),
        "v": st.none() | st.integers(0, 2) | st.just("bad"),
        "_sdc_deleted_at": st.none() | st.integers(1, 4).map(day),
        "more": st.integers(0, 1),
    },
)
runs = st.lists(st.lists(records, max_size=8), min_size=1, max_size=4)


def apply(table: dict[str, Row], record: Row) -> str:
    """What one record should do: the guard, one record after the other, in plain Python."""
    if record.get("v") == "bad":
        return "rejected"
    fields: Row = {name: record[name] for name in ("at", "v", "_sdc_deleted_at") if name in record}
    stored = table.get(record["id"])
    if stored is None:
        table[record["id"]] = {"at": None, "v": None, "_sdc_deleted_at": None, **fields, "extra": extra_of(record)}
        return "created"
    versions = [fields.get("at"), fields.get("_sdc_deleted_at")]
    version = max((v for v in versions if v is not None), default=None)
    if version is not None and stored["at"] is not None and version < stored["at"]:
        return "stale"
    before = dict(stored)
    stored.update(fields)
    if extra_of(record):
        stored["extra"] = {**(stored["extra"] or {}), **extra_of(record)}
    return "unchanged" if before == stored else "updated"


def extra_of(record: Row) -> Row:
    return {"more": record["more"]} if "more" in record else {}


@pytest.fixture
def emptied(load: Loader, singer: Singer) -> Any:
    """Gives the loader with an empty table of its own for each example."""
    schema = singer.schema({"v": singer.integer, "_sdc_deleted_at": singer.instant})

    def prepare() -> tuple[Loader, Message]:
        load(schema)
        load.database.query("TRUNCATE crm_test.contacts; DELETE FROM _crmdb.runs")
        return load, schema

    return prepare


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=runs, batch_size_rows=st.integers(1, 9))
def test_the_table_equals_the_model(emptied: Any, singer: Singer, runs: list[list[Row]], batch_size_rows: int) -> None:
    compare(emptied, singer, runs, batch_size_rows)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=runs, batch_size_rows=st.integers(1, 9))
def test_the_table_equals_the_model_in_many_more_cases(
    emptied: Any, singer: Singer, runs: list[list[Row]], batch_size_rows: int
) -> None:
    compare(emptied, singer, runs, batch_size_rows)


def compare(emptied: Any, singer: Singer, runs: list[list[Row]], batch_size_rows: int) -> None:
    """Load the runs, apply them to the model, and compare all rows and the sums of the counters."""
    load, schema = emptied()
    model: dict[str, Row] = {}
    for records_of_run in runs:
        for record in records_of_run:
            apply(model, record)
        load(schema, *map(singer.record, records_of_run), batch_size_rows=batch_size_rows)
    stored = load.database.query(
        'SELECT id, to_char(at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\'), v,'
        " to_char(_sdc_deleted_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), coalesce(_extra, '{}') FROM crm_test.contacts"
        " ORDER BY id"
    )
    assert [
        (key, row["at"], row["v"], row["_sdc_deleted_at"], row["extra"]) for key, row in sorted(model.items())
    ] == stored
    bad = sum(record.get("v") == "bad" for run in runs for record in run)
    assert [(sum(map(len, runs)), bad)] == load.database.query(
        "SELECT coalesce(sum(seen), 0)::int, coalesce(sum(rejected), 0)::int FROM _crmdb.run_streams"
    )


def test_one_record_at_a_time_has_the_models_outcomes(emptied: Any, singer: Singer) -> None:
    load, schema = emptied()
    model: dict[str, Row] = {}
    sequence: list[Row] = [
        {"id": "a", "at": day(3), "v": 1},
        {"id": "a", "at": day(3), "v": 1},
        {"id": "a", "at": day(2), "v": 2},
        {"id": "a", "_sdc_deleted_at": day(2)},
        {"id": "a", "_sdc_deleted_at": day(4)},
        {"id": "a", "at": day(3), "_sdc_deleted_at": None},
        {"id": "a", "more": 1},
        {"id": "a", "v": "bad"},
    ]
    for record in sequence:
        expected = apply(model, record)
        load(schema, singer.record(record))
        assert {"seen": 1, expected: 1} == load.outcomes()
