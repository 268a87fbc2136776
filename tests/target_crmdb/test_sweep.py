"""Rows go only by an ACTIVATE_VERSION that comes after the stream's last record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import ProtocolError, UnconfirmedDeletesError

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer


def read(singer: Singer, version: int, *ids: str) -> list[Message]:
    """A whole read of a stream, as our taps send it: the version last."""
    return [
        singer.schema(),
        *(singer.record({"id": one}, version=version) for one in ids),
        singer.activate(version),
    ]


def living(load: Loader) -> list[str]:
    return [row[0] for row in load.table("id, _sdc_deleted_at") if row[1] is None]


@pytest.mark.parametrize("batch_size_rows", [1, 100])
def test_rows_not_seen_are_marked_and_come_back(load: Loader, singer: Singer, batch_size_rows: int) -> None:
    load(*read(singer, 1, "a", "b", "c"), batch_size_rows=batch_size_rows)
    load(*read(singer, 2, "b", "c", "d"), batch_size_rows=batch_size_rows)
    assert ["b", "c", "d"] == living(load)
    assert {"seen": 3, "created": 1, "unchanged": 2, "deleted": 1} == load.outcomes()
    load(*read(singer, 3, "a", "b", "c", "d"))
    assert ["a", "b", "c", "d"] == living(load)


def test_hard_delete(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2, "b"), hard_delete=True)
    assert [("b",)] == load.table("id")


def test_a_leading_version_removes_nothing(load: Loader, singer: Singer) -> None:
    """Taps of the SDK send it first; a run that fails behind it must not leave every row marked."""
    load(*read(singer, 1, "a", "b"))
    load(singer.schema(), singer.activate(2), singer.record({"id": "a"}, version=2))
    assert ["a", "b"] == living(load)


def test_an_empty_read_removes_nothing_without_a_confirmation(
    load: Loader, singer: Singer, capsys: pytest.CaptureFixture[str]
) -> None:
    """T20: an empty answer of a broken source looks the same as an empty source."""
    load(*read(singer, 1, "a", "b"))
    with pytest.raises(UnconfirmedDeletesError, match="2 of the 2 rows"):
        load.to_stdout(*read(singer, 2), singer.state("not reached"))
    assert "" == capsys.readouterr().out
    assert ["a", "b"] == living(load)
    assert [("failed",)] == load.database.query("SELECT status FROM _crmdb.runs ORDER BY run_id DESC LIMIT 1")
    assert [{"bookmarks": "reached"}] == load(*read(singer, 3), singer.state("reached"), confirm_deletes=True)
    assert [] == living(load)


@pytest.mark.parametrize("hard", [True, False])
def test_a_sweep_of_too_large_a_share_removes_nothing(load: Loader, singer: Singer, hard: bool) -> None:
    """All else of the run is kept, new rows too."""
    load(*read(singer, 1, "a", "b", "c", "d", "e"))
    with pytest.raises(UnconfirmedDeletesError, match="confirm_deletes"):
        load(*read(singer, 2, "a", "new"), max_delete_share=0.6, hard_delete=hard)
    assert ["a", "b", "c", "d", "e", "new"] == living(load)
    load(*read(singer, 3, "a", "new"), max_delete_share=0.7, hard_delete=hard)
    assert ["a", "new"] == living(load)


def test_an_empty_table_has_nothing_to_confirm(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1))
    load(*read(singer, 2))
    assert [] == living(load)


@pytest.mark.parametrize("versions", ["first", "none"])
def test_a_sweep_at_the_end_of_the_input_is_opt_in(load: Loader, singer: Singer, versions: str) -> None:
    def whole(version: int, *ids: str) -> list[Message]:
        head = [singer.schema(bookmark_properties=[])]
        more: dict[str, Any] = {"version": version} if versions == "first" else {}
        opening = [singer.activate(version)] if versions == "first" else []
        return [*head, *opening, *(singer.record({"id": one}, **more) for one in ids)]

    load(*whole(1, "a", "b"), sweep_at_end=True)
    load(*whole(2, "a"))
    assert ["a", "b"] == living(load)
    load(*whole(3, "a"), sweep_at_end=True)
    assert ["a"] == living(load)


def test_a_stream_with_a_bookmark_and_no_version_is_never_swept_at_the_end(load: Loader, singer: Singer) -> None:
    """What comes of it may be the changes only."""
    load(singer.schema(), singer.record({"id": "a"}), singer.record({"id": "b"}), sweep_at_end=True)
    load(singer.schema(), singer.record({"id": "a"}), sweep_at_end=True)
    assert ["a", "b"] == living(load)


def test_an_input_that_is_cut_sweeps_nothing(load: Loader, singer: Singer) -> None:
    """T14: the torn end is no clean end."""
    load(*read(singer, 1, "a", "b", "c"))
    with pytest.raises(ProtocolError):
        load(*read(singer, 2, "a", "b"), b"{broken}\n")
    assert ["a", "b", "c"] == living(load)


@pytest.mark.parametrize("end", ["torn", "running", "failed"])
def test_a_read_that_did_not_come_to_its_end_is_not_swept_at_the_end(load: Loader, singer: Singer, end: str) -> None:
    """T14: the tap was killed within a line, or says itself that it had not finished."""
    schema = singer.schema(bookmark_properties=[])
    load(schema, singer.record({"id": "a"}), singer.record({"id": "b"}), sweep_at_end=True)
    told = {"type": "STATE", "value": {"bookmarks": {}, "run": {"status": end, "streams": {}}}}
    cut = singer.schema() if end == "torn" else told
    load(schema, singer.record({"id": "a"}), b'{"type":"REC' if end == "torn" else cut, sweep_at_end=True)
    assert ["a", "b"] == living(load)


def test_what_is_appended_is_never_swept(load: Loader, singer: Singer) -> None:
    """The rows of earlier runs did not come with the version, and are not gone."""
    for version in (1, 2):
        load(*read(singer, version, "a", "b"), load_method="append-only", hard_delete=True)
    assert ["a", "a", "b", "b"] == living(load)


def test_streams_without_a_key_are_swept_by_their_content(load: Loader, singer: Singer) -> None:
    def bag(version: int, *names: str) -> list[Message]:
        rows = (singer.record({"id": name}, version=version) for name in names)
        return [singer.schema(key_properties=[]), *rows, singer.activate(version)]

    load(*bag(1, "a", "a", "a", "b"))
    load(*bag(2, "a", "a", "b"))
    assert ["a", "a", "b"] == living(load)
    load(*bag(3, "a", "a", "a", "b"))
    assert ["a", "a", "a", "b"] == living(load)


def test_a_version_between_records_removes_nothing(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2, "a"), singer.record({"id": "a"}, version=2))
    assert ["a", "b"] == living(load)


def test_a_read_with_rejects_removes_nothing(load: Loader, singer: Singer) -> None:
    """The rejected row still exists in the source."""
    load(*read(singer, 1, "a", "b"))
    messages = read(singer, 2, "a")
    messages.insert(1, singer.record({"id": "b", "at": "no date"}, version=2))
    load(*messages)
    assert ["a", "b"] == living(load)


def test_it_can_be_switched_off(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2, "a"), activate_version=False)
    assert ["a", "b"] == living(load)


def test_the_version_is_matched_exactly(load: Loader, singer: Singer) -> None:
    """MeltanoLabs/target-postgres#340: `<=` removed every row."""
    load(*read(singer, 1, "a", "b"))
    load(singer.schema(), singer.record({"id": "a"}, version=1), singer.activate(5))
    assert ["a", "b"] == living(load)


def test_keys_of_every_type_are_told_apart(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"n": singer.number, "d": singer.instant}, key_properties=["n", "d"])
    rows = [{"id": str(n), "n": n / 2, "d": f"2026-01-0{d}T00:00:00Z"} for n in range(3) for d in (1, 2)]
    load(schema, *(singer.record(row, version=1) for row in rows), singer.activate(1))
    load(schema, *(singer.record(row, version=2) for row in rows[1:]), singer.activate(2))
    assert {"seen": 5, "unchanged": 5, "deleted": 1} == load.outcomes()


def test_a_read_that_another_run_began_removes_nothing(load: Loader, singer: Singer) -> None:
    """The first run was killed; the second goes on where it stood and never sees what the first one loaded."""
    load(*read(singer, 1, "a", "b", "c", "gone"))
    load(singer.schema(), singer.record({"id": "a"}, version=2), singer.record({"id": "b"}, version=2))
    load(*read(singer, 2, "c"))
    assert ["a", "b", "c", "gone"] == living(load)
    load(*read(singer, 3, "a", "b", "c"))
    assert ["a", "b", "c"] == living(load)
