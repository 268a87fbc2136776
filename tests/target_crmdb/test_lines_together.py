"""Lines that are taken many at a time come to what they come to one by one: rows, rejects, issues, counts, STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_crmdb import input as target_input

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

MAPPING: dict[str, Any] = {
    "streams": {
        "contacts": {
            "entity": "contacts",
            "id": "id",
            "updated_at": "at",
            "fields": {"email": "email", "phone": "phone", "name": "last_name", "born": "birth_date"},
        }
    }
}
SETTINGS: dict[str, Any] = {"source": "mine", "mapping": MAPPING, "max_protocol_errors": 99, "state_interval": 60}
TEXT: Message = {"type": ["string", "null"]}
DECLARED: dict[str, Any] = {
    "email": TEXT,
    "phone": TEXT,
    "name": TEXT,
    "born": TEXT,
    "n": {"type": ["integer", "null"]},
    "_sdc_deleted_at": {"type": ["string", "null"], "format": "date-time"},
}
COMMON: dict[str, Any] = {
    "id": "1", "at": "2026-01-01T00:00:00Z", "email": "ada@example.com", "phone": "(415) 555-2671", "name": "Ada",
    "born": "1990-01-31", "n": 1, "_sdc_deleted_at": None,
}  # fmt: skip

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["1", "2", "3", "3", None]),
    "at": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-02-30T00:00:00Z", None]),
    "email": st.sampled_from(["ada@example.com", "Ada@Example.COM", "nobody", "a\0@b.com", "", None]),
    "phone": st.sampled_from(["(415) 555-2671", "+1 415 555 2671", "12", "+49 151 12345678\n", None]),
    "name": st.sampled_from(["Ada", "", "a\tb\\N\n", "\ud800", None]),
    "born": st.sampled_from(["1990-01-31", "1990-02-30", "yesterday", "", None]),
    "n": st.sampled_from([1, 2**70, "x", None]),
    "_sdc_deleted_at": st.sampled_from([None, None, None, "2026-01-03T00:00:00Z"]),
}
changes = st.lists(st.sampled_from([*VALUES]), max_size=2, unique=True)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a record of the common form, or one with a field or two that are odd, lacking or too many."""
    record = dict(COMMON) | {"id": draw(st.sampled_from("123"))}
    for name in draw(changes):
        if draw(st.integers(0, 5)):
            record[name] = draw(VALUES[name])
        else:
            record.pop(name, None)
    return record | ({"more": 1} if draw(st.integers(0, 9)) == 9 else {})


def lines(singer: Singer) -> st.SearchStrategy[list[Message | bytes]]:
    other = st.sampled_from([b"{broken\n", b"\n", b'{"type": "NOTHING"}\n', singer.state("middle")])
    message = records().map(singer.record)
    versioned = records().map(lambda record: singer.record(record, version=5))
    elsewhere = records().map(lambda record: singer.record(record, stream="others"))
    return st.lists(st.one_of(message, message, message, elsewhere, elsewhere, versioned, other), max_size=12)


def outcome(load: Loader) -> list[Any]:
    query = load.database.query
    return [
        query(
            "SELECT id, at, email, phone, name, born, n, _sdc_deleted_at, _extra, _crm_email, _crm_phone,"
            " _crm_birth_date FROM crm_test.contacts ORDER BY id"
        ),
        query("SELECT id, at, email, phone, name, born, n, _sdc_deleted_at, _extra FROM crm_test.others ORDER BY id"),
        query("SELECT stream, line, key, stage, field, error_class, payload FROM _crmdb.rejects ORDER BY line"),
        query(
            "SELECT key, kind, field, rule, original, closed_at IS NULL"
            " FROM _crmdb.validation_issues ORDER BY 1, 2, 3, 4"
        ),
        load.outcomes(),
        load.outcomes("others"),
    ]


def loaded(load: Loader, content: list[Message | bytes], at_once: int, **more: Any) -> list[Any]:
    load.database.query(
        "TRUNCATE crm_test.contacts, crm_test.others; TRUNCATE _crmdb.rejects, _crmdb.validation_issues;"
        " DELETE FROM _crmdb.runs"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target_input, "_LINES", at_once)
        states = load(*content, **SETTINGS, **more)
    return [states[-1:], *outcome(load)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), batch_size_rows=st.sampled_from([2, 5, 10_000]))
def test_many_at_a_time_and_one_by_one_agree(
    load: Loader, singer: Singer, data: st.DataObject, batch_size_rows: int
) -> None:
    agree(load, singer, data.draw(lines(singer)), batch_size_rows)


@pytest.mark.long
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), batch_size_rows=st.sampled_from([2, 5, 10_000]))
def test_many_at_a_time_and_one_by_one_agree_in_many_more_cases(
    load: Loader, singer: Singer, data: st.DataObject, batch_size_rows: int
) -> None:
    agree(load, singer, data.draw(lines(singer)), batch_size_rows)


def agree(load: Loader, singer: Singer, content: list[Message | bytes], batch_size_rows: int) -> None:
    schemas = [singer.schema(DECLARED), singer.schema(DECLARED, stream="others")]
    whole = [*schemas, *content, singer.state("end")]
    load(*schemas, **SETTINGS)
    one_by_one = loaded(load, whole, 1, batch_size_rows=batch_size_rows)
    assert one_by_one == loaded(load, whole, 256, batch_size_rows=batch_size_rows)


def test_a_line_between_keeps_its_place(load: Loader, singer: Singer) -> None:
    """The last of equal versions wins, also where one of them goes the exact way."""
    lacking = {name: value for name, value in COMMON.items() if name != "n"}
    for first, second, last in ((COMMON, lacking, COMMON), (lacking, COMMON, lacking)):
        rows = [one | {"name": name} for one, name in zip((first, second, last), ("a", "b", "c"), strict=True)]
        load(singer.schema(DECLARED), *map(singer.record, rows), **SETTINGS)
        assert [("1", "c")] == load.table("id, name")


def test_streams_in_turns_are_taken_together(load: Loader, singer: Singer) -> None:
    """One after the other would cost twice the time; each stream's own order stays."""
    streams = ("contacts", "others")
    rows = [
        singer.record(COMMON | {"id": str(number // 4), "name": str(number)}, stream=streams[number % 2])
        for number in range(16)
    ]
    load(*(singer.schema(DECLARED, stream=name) for name in streams), *rows, **SETTINGS)
    assert [("0", "2"), ("1", "6"), ("2", "10"), ("3", "14")] == load.table("id, name")
    assert [("0", "3"), ("1", "7"), ("2", "11"), ("3", "15")] == load.table("id, name", stream="others")


def test_a_row_that_cannot_be_stored_costs_its_neighbours_nothing(load: Loader, singer: Singer) -> None:
    rows = [COMMON | {"id": str(number), "name": "a\0b" if number == 3 else "a"} for number in range(6)]
    load(singer.schema(DECLARED), *map(singer.record, rows), **SETTINGS, sanitize_null_text_characters=False)
    assert ["0", "1", "2", "4", "5"] == [key for (key,) in load.table("id")]
    assert [("contacts", 5, None, "unstorable_text")] == load.rejects()
