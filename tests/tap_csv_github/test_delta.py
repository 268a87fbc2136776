"""What goes out after a first run: rows that changed, came or vanished, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_crm import FakeGitHub
    from tests.tap_csv_github.conftest import Run, RunTap, Table

    Tabled = Callable[..., Table]

KEYED: dict[str, Any] = {"key_properties": ["id"], "stream_name": "t"}


def csv(*rows: tuple[object, object], header: str = "id,name") -> str:
    return "".join([f"{header}\n", *(f"{key},{value}\n" for key, value in rows)])


def emitted(run: Run) -> list[tuple[str, bool]]:
    """Id and whether it is a tombstone."""
    return [(record["id"], record["_sdc_deleted_at"] is not None) for record in run.records("t")]


def versions(run: Run) -> list[int]:
    return [message["version"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"]


def test_only_rows_that_changed_came_or_vanished_go_out(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    repository = github.repository("acme/crm", {"a.csv": csv(*((n, f"n{n}") for n in range(500)))})
    first = run_tap(**KEYED)
    assert 500 == len(first.records("t"))
    assert 1 == len(versions(first))
    rows: list[tuple[object, object]] = [(n, f"n{n}") for n in range(500) if n != 7]
    rows[20] = (rows[20][0], "changed")
    repository.commit({"a.csv": csv((900, "new"), *reversed(rows))})
    second = run_tap(**KEYED, state=first.state)
    assert {("900", False), (str(rows[20][0]), False), ("7", True)} == set(emitted(second))
    assert [] == versions(second)
    assert 500 == len(table("t", first, second).rows)
    third = run_tap(**KEYED, state=second.state)
    assert [] == emitted(third)


def test_reordered_columns_and_another_dialect_are_no_change(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = github.repository("acme/crm", {"a.csv": "id,name\n1,a\n2,b\n"})
    first = run_tap(**KEYED)
    repository.commit({"a.csv": "name;id\r\na;1\r\nb;2\r\n".encode("utf-16")})
    assert [] == emitted(run_tap(**KEYED, state=first.state))


def test_a_new_column_is_told_and_taken(github: FakeGitHub, run_tap: RunTap, caplog: pytest.LogCaptureFixture) -> None:
    """S10: the schema grows before the first row that needs it; a column that went is null."""
    repository = github.repository("acme/crm", {"a.csv": "id,name\n1,a\n"})
    catalog = run_tap.catalog(**KEYED)
    first = run_tap(**KEYED, catalog=catalog)
    repository.commit({"a.csv": "id,mail\n1,x@y\n"})
    second = run_tap(**KEYED, catalog=catalog, state=first.state)
    assert [{"id": "1", "mail": "x@y", "name": None}] == second.rows("t")
    assert second.misfits("t") == []
    assert "mail" in second.schema("t")["properties"]
    assert "the schema grows: mail" in caplog.text


def test_a_renamed_file_is_not_read_again(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = github.repository("acme/crm", {"a.csv": csv((1, "a"), (2, "b"))})
    first = run_tap(**KEYED)
    repository.rename("a.csv", "archive/b.csv")
    before = len(github.requests)
    second = run_tap(**KEYED, catalog=run_tap.catalog(**KEYED), state=first.state)
    assert [] == emitted(second)
    repository.commit({"archive/b.csv": csv((1, "a"))})
    assert [("2", True)] == emitted(run_tap(**KEYED, state=second.state))
    assert before < len(github.requests)


def test_a_deleted_file_takes_its_rows_along(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    repository = github.repository("acme/crm", {"a.csv": csv((1, "a"), (2, "b")), "b.csv": csv((3, "c"))})
    first = run_tap(**KEYED)
    repository.commit({"a.csv": None})
    second = run_tap(**KEYED, state=first.state)
    assert {("1", True), ("2", True)} == set(emitted(second))
    assert [{"id": "3", "name": "c"}] == table("t", first, second).live
    assert "a.csv" not in second.state["bookmarks"]["t"]["files"]["acme/crm@HEAD"]


def test_a_row_that_moves_to_another_file_stays_alive(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    repository = github.repository("acme/crm", {"a.csv": csv((1, "x")), "z.csv": csv((9, "z"))})
    first = run_tap(**KEYED)
    repository.commit({"a.csv": csv((9, "z")), "z.csv": csv((1, "x"))})
    second = run_tap(**KEYED, state=first.state)
    assert not any(is_gone for _, is_gone in emitted(second))
    assert [{"id": "1", "name": "x"}, {"id": "9", "name": "z"}] == table("t", first, second).live


def test_a_key_that_another_file_still_holds_does_not_vanish(
    github: FakeGitHub, run_tap: RunTap, table: Tabled
) -> None:
    """S02: the file that did not change is looked into, unless the setting says that no two share keys."""
    repository = github.repository("acme/crm", {"a.csv": csv((1, "a"), (2, "a")), "b.csv": csv((1, "b"), (3, "b"))})
    first = run_tap(**KEYED)
    repository.commit({"a.csv": csv((2, "a"))})
    second = run_tap(**KEYED, state=first.state)
    assert [("1", False)] == emitted(second)
    assert {"1": {"id": "1", "name": "b"}}.items() <= table("t", first, second).by("id").items()
    unshared = run_tap(**KEYED, shared_keys=False)
    repository.commit({"a.csv": csv((5, "a"))})
    after = run_tap(**KEYED, shared_keys=False, state=unshared.state)
    assert {("2", True), ("5", False)} == set(emitted(after))


def test_duplicate_keys_in_a_file_end_with_the_last_row(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    """S04."""
    repository = github.repository("acme/crm", {"a.csv": csv((1, "x"), (1, "y"))})
    first = run_tap(**KEYED)
    repository.commit({"a.csv": csv((1, "y"), (1, "x"), (2, "z"))})
    second = run_tap(**KEYED, state=first.state)
    repository.commit({"a.csv": csv((1, "y"), (1, "x"), (2, "zz"))})
    third = run_tap(**KEYED, state=second.state)
    assert {"1": "x", "2": "zz"} == {key: row["name"] for key, row in table("t", first, second, third).by("id").items()}


@pytest.mark.parametrize("collected", [False, True], ids=["kept", "collected"])
def test_a_force_push_is_compared_or_read_whole(
    github: FakeGitHub, run_tap: RunTap, table: Tabled, collected: bool
) -> None:
    """Where GitHub has let go of the old version nobody can say what vanished: then the target is to sweep."""
    repository = github.repository("acme/crm", {"a.csv": csv((1, "a"), (2, "b"), (3, "c")), "b.csv": csv((4, "d"))})
    first = run_tap(**KEYED)
    repository.force_push({"a.csv": csv((1, "a"), (3, "changed")), "b.csv": csv((4, "d"))})
    if collected:
        repository.collect_garbage()
    second = run_tap(**KEYED, state=first.state)
    assert second.error is None
    assert {"1": "a", "3": "changed", "4": "d"} == {
        key: row["name"] for key, row in table("t", first, second).by("id").items()
    }
    assert (1 if collected else 0) == len(versions(second))
    assert collected or {("2", True), ("3", False)} == set(emitted(second))
    third = run_tap(**KEYED, state=second.state)
    assert ([], []) == (emitted(third), versions(third))


def test_without_keys_a_row_is_known_by_its_place(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    repository = github.repository("acme/crm", {"a.csv": csv((1, "a"), (2, "b"), (3, "c")), "b.csv": csv((9, "z"))})
    first = run_tap(stream_name="t")
    repository.commit({"a.csv": csv((1, "a"), (3, "c"))})
    second = run_tap(stream_name="t", state=first.state)
    assert 3 == len(second.records("t"))
    assert ["1", "3", "9"] == sorted(row["id"] for row in table("t", first, second).live)
    repository.rename("a.csv", "c.csv")
    repository.commit({"b.csv": None})
    third = run_tap(stream_name="t", state=second.state)
    assert ["1", "3"] == sorted(row["id"] for row in table("t", first, second, third).live)


def test_every_file_makes_a_stream_where_no_name_is_given(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    repository = github.repository("acme/crm", {"in/Accounts 2026.csv": csv((1, "a")), "deals.csv.gz": csv((2, "b"))})
    first = run_tap()
    assert {"accounts_2026", "deals"} == {m["stream"] for m in first.messages if m["type"] == "RECORD"}
    repository.commit({"deals.csv.gz": None})
    second = run_tap(state=first.state)
    assert [] == table("deals", first, second).live
    third = run_tap(state=second.state)
    assert [] == third.records()


def test_settings_that_change_how_files_are_read_let_them_be_read_anew(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {"a.csv": csv((1, "7"))})
    first = run_tap(**KEYED)
    second = run_tap(**KEYED, types={"name": "integer"}, state=first.state)
    assert [7] == [record["name"] for record in second.records("t")]


def test_full_refresh_reads_everything(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {"a.csv": csv((1, "7"))})
    first = run_tap(**KEYED)
    second = run_tap(**KEYED, config={"full_refresh": True}, state=first.state)
    assert ([("1", False)], 1) == (emitted(second), len(versions(second)))


def test_a_limited_run_leaves_no_trace(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    github.repository("acme/crm", {"a.csv": csv(*((n, n) for n in range(50)))})
    limited = run_tap(**KEYED, config={"max_records": 7})
    assert 7 == len(limited.records("t"))
    whole = run_tap(**KEYED, state=limited.state)
    assert 50 == len(table("t", limited, whole).rows)


def test_a_replication_key_gives_rows_from_the_bookmark_on(github: FakeGitHub, run_tap: RunTap) -> None:
    """S07, S12: the bookmark is the latest time seen; equal times come again, unreadable ones always."""
    entry = {**KEYED, "replication_key": "at"}
    repository = github.repository(
        "acme/crm", {"a.csv": csv((1, "2026-01-01T00:00:00Z"), (2, "2026-02-01"), header="id,at")}
    )
    first = run_tap(**entry)
    assert 2 == len(first.records("t"))
    assert "2026-02-01T00:00:00.000000Z" == first.state["bookmarks"]["t"]["replication_key_value"]
    rows = [
        (1, "2026-01-01T00:00:00Z"),
        (2, "2026-02-01"),
        (3, "2026-03-01T00:00:00+02:00"),
        (4, "soon"),
        (5, "2025-01-01"),
    ]
    repository.commit({"a.csv": csv(*rows, header="id,at")})
    second = run_tap(**entry, state=first.state)
    assert ["2", "3", "4"] == [record["id"] for record in second.records("t")]
    assert [] == run_tap(**entry, state=second.state).records("t")
    repository.commit({"a.csv": csv((9, "2999-01-01"), header="id,at")})
    future = run_tap(**entry, state=second.state)
    assert ["9"] == [record["id"] for record in future.records("t")]
    assert future.state["bookmarks"]["t"]["replication_key_value"] < "2026-12"
    garbage = {**future.state, "bookmarks": {"t": {**future.state["bookmarks"]["t"], "replication_key_value": "2999"}}}
    repository.commit({"a.csv": csv((1, "2020-01-01"), header="id,at")})
    assert ["1"] == [record["id"] for record in run_tap(**entry, state=garbage).records("t")]


def test_a_folder_is_read_whole_once_a_file_of_it_changed(run_folder: RunTap, folder: Path, table: Tabled) -> None:
    (folder / "a.csv").write_text(csv((1, "a"), (2, "b")), "utf-8")
    (folder / "b.csv").write_text(csv((3, "c")), "utf-8")
    first = run_folder(**KEYED)
    assert [] == emitted(run_folder(**KEYED, state=first.state))
    (folder / "c.csv").write_text(csv((4, "d")), "utf-8")
    added = run_folder(**KEYED, state=first.state)
    assert [("4", False)] == emitted(added)
    (folder / "a.csv").write_text(csv((2, "b")), "utf-8")
    changed = run_folder(**KEYED, state=added.state)
    assert 1 == len(versions(changed))
    assert ["2", "3", "4"] == [row["id"] for row in table("t", first, added, changed).live]
    (folder / "c.csv").unlink()
    last = run_folder(**KEYED, state=changed.state)
    assert ["2", "3"] == [row["id"] for row in table("t", first, added, changed, last).live]


def test_a_file_that_was_touched_is_not_read_again(run_folder: RunTap, folder: Path) -> None:
    (folder / "a.csv").write_text(csv((1, "a")), "utf-8")
    first = run_folder(**KEYED)
    (folder / "a.csv").write_text(csv((1, "a")), "utf-8")
    second = run_folder(**KEYED, state=first.state)
    assert ([], []) == (emitted(second), versions(second))


def test_rejects_are_withdrawn_when_the_file_is_mended(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    repository = github.repository("acme/crm", {"a.csv": 'id,name\n1,"open\n2,"x"y\n3,c\n'})
    first = run_tap(**KEYED)
    assert 2 == len(table("csv_rejects", first).rows)
    repository.commit({"a.csv": 'id,name\n1,open\n2,"x"y\n3,c\n'})
    second = run_tap(**KEYED, state=first.state)
    assert 1 == len(table("csv_rejects", first, second).rows)
    repository.commit({"a.csv": None})
    third = run_tap(**KEYED, state=second.state)
    assert [] == table("csv_rejects", first, second, third).live
    assert [] == table("t", first, second, third).live


def test_a_key_column_that_is_not_there_fails_the_file_by_name(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {"a.csv": "nr,name\n1,a\n", "b.csv": csv((2, "b"))})
    run = run_tap(**KEYED)
    assert run.error is not None
    assert ["2"] == [row["id"] for row in run.rows("t")]
    assert "a.csv" in str(run.error.failures["t"])  # type: ignore[attr-defined]


def test_types_are_inferred_only_on_demand_and_given_up_by_the_first_misfit(
    github: FakeGitHub, run_tap: RunTap
) -> None:
    """S11: the schema says text before the value that is none."""
    rows = [(n, n * 2) for n in range(60_000)]
    repository = github.repository("acme/crm", {"a.csv": csv(*rows, ("x1", "many"))})
    run = run_tap(stream_name="t", infer_types=True)
    records = run.records("t")
    assert (0, "119998", "many") == (records[0]["name"], records[59_999]["name"], records[-1]["name"])
    assert run.misfits("t") == []
    repository.commit({"a.csv": csv(*rows, ("x1", "many"), ("x2", "5"))})
    again = run_tap(stream_name="t", infer_types=True, state=run.state)
    assert {"string"} == {type(record["name"]).__name__.replace("str", "string") for record in again.records("t")}


@pytest.mark.usefixtures("small_blocks")
def test_a_key_is_never_inferred(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    """A number that turns into text in the middle of a file would be one key that vanished and another that came."""
    rows = [(n, n) for n in range(40)]
    entry = {**KEYED, "infer_types": True}
    repository = github.repository("acme/crm", {"a.csv": csv(*rows)})
    first = run_tap(**entry)
    assert ["string"] == [first.schema("t")["properties"]["id"]["type"]]
    assert {str(n) for n in range(40)} == {row["id"] for row in first.rows("t")}
    repository.commit({"a.csv": csv(*rows[:20], ("x1", 7), *rows[20:])})
    second = run_tap(**entry, state=first.state)
    assert [("x1", False)] == emitted(second)
    assert 41 == len(table("t", first, second).rows)


def test_a_key_that_an_old_catalog_calls_a_number_is_text(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {"a.csv": csv((1, "a"), ("02", "b"))})
    catalog = run_tap.catalog(**KEYED)
    (stream,) = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == "t"]
    stream["schema"]["properties"]["id"]["type"] = "integer"
    run = run_tap(**KEYED, catalog=catalog)
    assert ["1", "02"] == [row["id"] for row in run.rows("t")]
    assert run.misfits("t") == []


def test_a_key_of_a_given_type_is_one_however_it_is_written(github: FakeGitHub, run_tap: RunTap, table: Tabled) -> None:
    entry = {**KEYED, "types": {"id": "number"}}
    repository = github.repository("acme/crm", {"a.csv": csv(("5.0", "a"), (100, "b"), (7, "c"))})
    first = run_tap(**entry)
    repository.commit({"a.csv": csv((5, "a"), ("100.00", "b"))})
    second = run_tap(**entry, state=first.state)
    assert [7] == [row["id"] for row in second.records("t") if row["_sdc_deleted_at"]]
    assert {5, 100} == set(table("t", first, second).by("id"))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("usual", "later"),
    [("true", "1"), ("true", "yes"), ("5", "-0"),
     ("5", " 6"), ("5", "1234567890123456"), ("5", "1\u0662"), ("1.5", "1e5"),
     ("2026-01-01", " 2026-01-02"), ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567Z")],
)  # fmt: skip
def test_d08_d18_an_inferred_type_is_given_up_before_a_value_loses_anything(
    monkeypatch: pytest.MonkeyPatch, run_folder: RunTap, folder: Path, usual: str, later: str
) -> None:
    monkeypatch.setattr("tap_csv_github.discovery.SAMPLE", 200)
    rows = [(n, usual) for n in range(40)]
    (folder / "a.csv").write_text(csv(*rows, (40, later)), "utf-8")
    run = run_folder(stream_name="t", infer_types=True)
    records = run.rows("t")
    assert not isinstance(records[0]["name"], str) or usual.startswith("2026")
    assert later == records[-1]["name"]
    assert run.misfits("t") == []


def test_d08_a_negative_number_is_one(run_folder: RunTap, folder: Path) -> None:
    (folder / "a.csv").write_text(csv((1, "-0.5"), (2, "1.5")), "utf-8")
    assert [-0.5, 1.5] == [float(row["name"]) for row in run_folder(stream_name="t", infer_types=True).rows("t")]
    (folder / "a.csv").write_text(csv((1, "-0.0"), (2, "1.5")), "utf-8")
    assert ["-0.0", "1.5"] == [row["name"] for row in run_folder(stream_name="t", infer_types=True).rows("t")]


def test_d08_digits_of_other_scripts_are_no_numbers(run_folder: RunTap, folder: Path) -> None:
    (folder / "a.csv").write_text(csv((1, "1\u0662")), "utf-8")
    assert [(2, "column name holds no integer")] == run_folder(stream_name="t", types={"name": "integer"}).rejects


def test_columns_that_a_file_lacks_are_told(run_folder: RunTap, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """S10: as those are that come."""
    (folder / "a.csv").write_text(csv((1, "x")), "utf-8")
    (folder / "b.csv").write_text("id\n2\n", "utf-8")
    assert [{"id": "1", "name": "x"}, {"id": "2", "name": None}] == run_folder(stream_name="t").rows("t")
    assert "b.csv lacks columns that are null in its rows: name" in caplog.text
