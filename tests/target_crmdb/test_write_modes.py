"""What load_method and hard_delete change, and streams without a key."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import CrmdbError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer

NAMED: dict[str, Any] = {"name": {"type": ["null", "string"]}}


@pytest.fixture
def sync(load: Loader, singer: Singer) -> Callable[..., dict[str, int]]:
    """Loads contacts with a name and a deletion time; gives the outcomes."""

    def run(*records: Message, **settings: Any) -> dict[str, int]:
        schema = singer.schema({**NAMED, "_sdc_deleted_at": singer.instant})
        load(schema, *map(singer.record, records), **settings)
        return load.outcomes()

    return run


def contact(at: str, name: str | None, **more: Any) -> Message:
    return {"id": "1", "at": at, "name": name, "_sdc_deleted_at": None, **more}


# overwrite


def test_overwrite_lets_an_older_row_win(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "edited here by mistake"))
    assert {"seen": 1, "updated": 1} == sync(contact(day(3), "as the source has it"), load_method="overwrite")
    assert [("as the source has it",)] == load.table("name")


def test_overwrite_with_since_keeps_the_rows_that_it_does_not_touch(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    """A tap with a `since` sends a part only and no ACTIVATE_VERSION: nothing may vanish."""
    sync(contact(day(1), "old", id="0"), contact(day(5), "new"))
    sync(contact(day(4), "forced"), load_method="overwrite")
    assert [("0", "old"), ("1", "forced")] == load.table("id, name")


def test_overwrite_of_equal_rows_writes_nothing(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada"))
    before = load.table("id, xmin, ctid")
    assert {"seen": 1, "unchanged": 1} == sync(contact(day(5), "ada"), load_method="overwrite")
    assert before == load.table("id, xmin, ctid")


def test_overwrite_still_takes_the_newest_of_duplicates(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "newest"), contact(day(4), "last"), load_method="overwrite")
    assert [("newest",)] == load.table("name")


# hard_delete


def test_a_tombstone_deletes_its_row_where_deletes_are_hard(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada"), contact(day(5), "bob", id="2"))
    gone = {"id": "1", "_sdc_deleted_at": day(6)}
    assert {"seen": 1, "updated": 1, "deleted": 1} == sync(gone, hard_delete=True)
    assert [("2",)] == load.table("id")
    assert {"seen": 1, "unchanged": 1} == sync(gone, hard_delete=True)


def test_a_tombstone_older_than_its_row_deletes_nothing(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada"))
    assert {"seen": 1, "stale": 1} == sync({"id": "1", "_sdc_deleted_at": day(4)}, hard_delete=True)
    assert [("1",)] == load.table("id")


def test_deleted_and_made_again_in_one_batch(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada"))
    sync(contact(day(5), None, _sdc_deleted_at=day(6)), contact(day(7), "back"), hard_delete=True)
    assert [("1", "back")] == load.table("id, name")


# append-only


@pytest.mark.parametrize("method", ["append", "append-only"])
def test_append_keeps_every_version(load: Loader, singer: Singer, day: Callable[[int], str], method: str) -> None:
    schema = singer.schema(NAMED)
    rows = [{"id": "1", "at": day(n), "name": f"version {n}"} for n in (2, 1, 3)]
    load(schema, *map(singer.record, rows), load_method=method)
    load(schema, singer.record(rows[0]), load_method=method)
    assert 4 == len(load.table("id"))
    assert {"seen": 1, "created": 1} == load.outcomes()


def test_append_does_not_double_what_a_killed_run_sent(load: Loader, singer: Singer, tmp_path: Path) -> None:
    messages = [singer.schema(NAMED), *(singer.record({"id": str(n % 3), "name": "x"}) for n in range(20))]
    how: dict[str, Any] = {"load_method": "append-only", "batch_size_rows": 4}
    killed = load.process(tmp_path, *messages, env={"CRMDB_FAILPOINTS": "after_commit:3=kill"}, **how)
    assert -signal.SIGKILL == killed.returncode
    assert 12 == len(load.table("id"))
    for expected in (20, 40):
        assert 0 == load.process(tmp_path, *messages, **how).returncode
        assert expected == len(load.table("id"))


def test_a_tombstone_is_appended_like_any_record(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada"), load_method="append-only", hard_delete=True)
    gone = {"id": "1", "_sdc_deleted_at": day(6)}
    assert {"seen": 1, "created": 1} == sync(gone, load_method="append-only", hard_delete=True)
    assert 2 == len(load.table("id"))


def test_changing_to_append_needs_a_table_of_its_own(load: Loader, singer: Singer) -> None:
    load(singer.schema())
    with pytest.raises(CrmdbError, match="key"):
        load(singer.schema(), load_method="append-only")


# Streams without a key


def bag(singer: Singer, *names: str | None, **more: Any) -> list[Message]:
    return [
        singer.schema({**NAMED, **more}, key_properties=[]),
        *(singer.record({"id": "1", "name": n}) for n in names),
    ]


def test_equal_rows_of_a_source_stay_as_many(load: Loader, singer: Singer) -> None:
    load(*bag(singer, "a", "b", "a", "a"))
    assert {"seen": 4, "created": 4} == load.outcomes()
    load(*bag(singer, "a", "a", "b", "a"))
    assert {"seen": 4, "unchanged": 4} == load.outcomes()
    load(*bag(singer, "a", "b", "a", "a", "a", "b"))
    assert {"seen": 6, "created": 2, "unchanged": 4} == load.outcomes()
    assert list("aaaabb") == sorted(row[0] for row in load.table("name"))


def test_equal_rows_are_counted_over_batches_and_schemas(load: Loader, singer: Singer) -> None:
    wider = bag(singer, "a", "a", more=singer.integer)
    load(*bag(singer, "a", "a", "a"), *wider, batch_size_rows=2)
    assert ["a"] * 5 == [row[0] for row in load.table("name")]
    load(*bag(singer, "a", "a", "a"), *wider, batch_size_rows=1)
    assert 5 == len(load.table("name"))


@pytest.mark.parametrize(
    "point", ["after_copy:2", "after_merge:2", "before_commit:2", "after_commit:2", "before_state:1"]
)
def test_equal_rows_stay_as_many_after_a_kill(load: Loader, singer: Singer, tmp_path: Path, point: str) -> None:
    """G2: killed in the midst, and all of it sent again."""
    names = ["a", "b", "a", "c", "a", "b", "a"]
    lines = [*bag(singer, *names), singer.state(1)]
    killed = load.process(tmp_path, *lines, env={"CRMDB_FAILPOINTS": f"{point}=kill"}, batch_size_rows=3)
    assert -signal.SIGKILL == killed.returncode
    assert 0 == load.process(tmp_path, *lines, batch_size_rows=2).returncode
    assert sorted(names) == sorted(row[0] for row in load.table("name"))


def test_rows_that_mean_the_same_are_equal(load: Loader, singer: Singer) -> None:
    properties = {"n": singer.number, "o": {"type": ["null", "object"]}}
    schema = singer.schema(properties, key_properties=[])
    load(
        schema,
        singer.record(
            {"id": "1", "at": "2026-01-01T00:00:00Z", "n": 1, "o": {"a": 1, "b": 2}, "more": {"x": 1, "y": 2}}
        ),
    )
    load(
        schema,
        b'{"type":"RECORD","stream":"contacts","record":{"more":{"y":2,"x":1},"o":{"b":2,"a":1},"n":1.0,'
        b'"at":"2026-01-01T01:00:00+01:00","id":"1"}}\n',
    )
    assert {"seen": 1, "unchanged": 1} == load.outcomes()


def test_a_column_that_is_new_and_empty_makes_no_row_another(load: Loader, singer: Singer) -> None:
    load(*bag(singer, "a", None))
    load(*bag(singer, "a", None, more=singer.integer))
    assert {"seen": 2, "unchanged": 2} == load.outcomes()


def test_a_run_leaves_no_table_of_its_own_behind(load: Loader, singer: Singer, tmp_path: Path) -> None:
    lines = bag(singer, "a", "a")
    load.process(tmp_path, *lines, env={"CRMDB_FAILPOINTS": "after_commit=kill"})
    own = "SELECT relname FROM pg_class WHERE relname LIKE 'seen_%' AND relkind = 'r'"
    assert 1 == len(load.database.query(own))
    load(*lines)
    assert [] == load.database.query(own)
