"""Where files come from, and that a look at what did not change is free."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from crmdb_core.exceptions import ConfigError, ExitCode
from tap_csv_github.client import git_root
from tap_csv_github.tap import TapCsvGithub
from tests.tap_csv_github.conftest import RunTap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_crm import FakeGitHub
    from tests.tap_csv_github.conftest import Table

KEYED: dict[str, Any] = {"key_properties": ["id"], "stream_name": "t"}


def calls(github: FakeGitHub, since: int) -> list[tuple[str, int | None]]:
    return [(entry.path.removeprefix("/api/v3/"), entry.status) for entry in github.requests[since:]]


@pytest.mark.parametrize("ref", [None, "main", "work/side", "v1", "sha"])
def test_a_branch_a_tag_or_a_commit(github: FakeGitHub, run_tap: RunTap, ref: str | None) -> None:
    repository = github.repository("acme/crm", {"a.csv": "id\nfirst\n"})
    repository.tag("v1")
    begun = repository.branches["main"]
    newest = repository.commit({"a.csv": "id\nnewest\n"})
    repository.commit({"a.csv": "id\nside\n"}, branch="work/side")
    entry: dict[str, Any] = {} if ref is None else {"ref": begun if ref == "sha" else ref}
    run = run_tap(**entry)
    expected = {None: "newest", "main": "newest", "work/side": "side", "v1": "first", "sha": "first"}[ref]
    (record,) = run.records("a")
    assert expected == record["id"]
    assert ref not in {None, "main"} or (newest.sha, "2026-11-01T00:00:00Z") == (
        record["_sdc_commit_sha"],
        record["_sdc_commit_time"],
    )


def test_an_unchanged_repository_costs_one_call_that_is_free(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {f"{n}.csv": f"id\n{n}\n" for n in range(5)})
    catalog = run_tap.catalog(stream_name="t")
    first = run_tap(stream_name="t", catalog=catalog)
    before, used = len(github.requests), github.limiter.used(github.access.tokens[github.token])
    second = run_tap(stream_name="t", catalog=catalog, state=first.state)
    assert [] == second.records("t")
    assert [("rate_limit", 200), ("repos/acme/crm/commits/HEAD", 304)] == sorted(calls(github, before))
    assert used == github.limiter.used(github.access.tokens[github.token])
    assert first.state["bookmarks"] == second.state["bookmarks"]


def test_a_changed_repository_costs_a_commit_a_tree_and_the_changed_files(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = github.repository("acme/crm", {f"{n}.csv": f"id\n{n}\n" for n in range(5)})
    catalog = run_tap.catalog(stream_name="t")
    first = run_tap(stream_name="t", catalog=catalog)
    repository.commit({"3.csv": "id\nthree\n"})
    before = len(github.requests)
    second = run_tap(stream_name="t", catalog=catalog, state=first.state)
    assert [{"id": "three"}] == second.rows("t")
    kinds = [path.split("/")[-2] for path, _ in calls(github, before) if "/" in path]
    assert ["commits", "trees", "blobs"] == kinds


def test_a_first_run_fetches_every_small_file_once(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {f"{n}.csv": f"id\n{n}\n" for n in range(5)})
    run_tap(stream_name="t")
    assert 5 == len([path for path, _ in calls(github, 0) if "/blobs/" in path])


def test_other_streams_of_a_repository_keep_it_from_looking_unchanged(github: FakeGitHub, run_tap: RunTap) -> None:
    """A stream that was not read yet must not be hidden by the ETag that another one left."""
    github.repository("acme/crm", {"a.csv": "id\n1\n", "b.csv": "id\n2\n"})
    one = [{"path": "a.csv", "stream_name": "a"}]
    both = [*one, {"path": "b.csv", "stream_name": "b"}]
    first = run_tap(files=one)
    second = run_tap(files=both, state=first.state)
    assert [{"id": "2"}] == second.rows()


def test_a_file_that_an_old_catalog_does_not_know_is_not_hidden_by_the_etag(
    github: FakeGitHub, run_tap: RunTap
) -> None:
    repository = github.repository("acme/crm", {"a.csv": "id\n1\n"})
    old = run_tap.catalog()
    first = run_tap(catalog=old)
    repository.commit({"b.csv": "id\n2\n"})
    second = run_tap(catalog=old, state=first.state)
    assert [] == second.rows()
    assert [{"id": "2"}] == run_tap(state=second.state).rows()
    assert [{"id": "2"}] == run_tap(catalog=run_tap.catalog(), state=second.state).rows()


def test_patterns_choose_files(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", dict.fromkeys(("a.csv", "in/b.csv", "in/deep/c.csv", "in/d.tsv", "x.md"), "id\n1\n"))

    def chosen(**entry: Any) -> list[str]:
        return sorted(record["_sdc_path"] for record in run_tap(stream_name="t", **entry).records("t"))

    assert ["a.csv"] == chosen(path="*.csv")
    assert ["a.csv", "in/b.csv", "in/deep/c.csv"] == chosen(path="**/*.csv")
    assert ["in/b.csv", "in/d.tsv"] == chosen(path="in/*.{csv,tsv}")
    assert ["in/b.csv"] == chosen(path="in/**", exclude="{**/d.*,in/deep/**}")
    assert ["a.csv", "x.md"] == chosen(path="[ax].*")


def test_links_submodules_and_folders_are_no_files(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = github.repository("acme/crm", {"in/a.csv": "id\n1\n"})
    repository.link("link.csv", "in/a.csv")
    repository.submodule("sub.csv", "1" * 40)
    assert ["in/a.csv"] == [record["_sdc_path"] for record in run_tap(stream_name="t").records("t")]


def test_a_tree_that_github_cuts_is_walked(github: FakeGitHub, run_tap: RunTap) -> None:
    files = {f"{a}/{b}/{c}.csv": f"id\n{a}{b}{c}\n" for a in "pqr" for b in "xy" for c in "123"}
    github.repository("acme/crm", {**files, "top.csv": "id\ntop\n"})
    github.world.quirks.tree_entries = 7
    run = run_tap(stream_name="t")
    assert sorted(["top", *(f"{a}{b}{c}" for a in "pqr" for b in "xy" for c in "123")]) == sorted(
        row["id"] for row in run.rows("t")
    )


def test_lfs_pointers_are_read_as_what_they_stand_for(
    github: FakeGitHub, run_tap: RunTap, table: Callable[..., Table]
) -> None:
    repository = github.repository("acme/crm", {"small.csv": "id\n0\n"})
    repository.commit_lfs("big.csv", b"id\n1\n2\n")
    first = run_tap(**KEYED)
    assert ["0", "1", "2"] == sorted(row["id"] for row in first.rows("t"))
    repository.commit_lfs("big.csv", b"id\n2\n3\n")
    second = run_tap(**KEYED, state=first.state)
    assert ["0", "2", "3"] == sorted(row["id"] for row in table("t", first, second).live)
    assert all("Authorization" not in entry.request.headers for entry in github.storage.requests)
    assert len(github.storage.requests) >= 2


@pytest.mark.usefixtures("waits")
def test_an_lfs_object_that_arrives_damaged_is_fetched_again(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {"x.md": "x"}).commit_lfs("big.csv", b"id\n1\n2\n")
    github.storage.faults.add(path="", kind="truncate", times=2)
    run = run_tap(**KEYED, path="*.csv")
    assert ["1", "2"] == [row["id"] for row in run.rows("t")]


def test_an_lfs_object_may_be_larger_than_any_answer(github: FakeGitHub, run_tap: RunTap) -> None:
    """The pointer says how long it is; the limit is for bodies of which nothing is known."""
    github.repository("acme/crm", {"x.md": "x"}).commit_lfs("big.csv", b"id\n" + b"1\n" * 400)
    tap = TapCsvGithub(config=run_tap.config(path="*.csv"))
    tap.lfs._storage(github.storage.url).max_bytes = 500
    source = tap.source_of(tap.entries[0])
    assert 803 == source.read(tap.listing(source).files["big.csv"]).size


def test_the_files_of_a_release(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = github.repository("acme/crm", {"a.csv": "id\nin the tree\n"})
    repository.release("v1", {"a.csv": b"id\n1\n", "notes.md": b"x"})
    newest = repository.release("v2", {f"{n}.csv": b"id\n%d\n" % n for n in range(120)})
    assert [{"id": "1"}] == run_tap(stream_name="t", release="v1", path="*.csv").rows("t")
    entry: dict[str, Any] = {"stream_name": "t", "release": "latest", "path": "*.csv"}
    catalog = run_tap.catalog(**entry)
    first = run_tap(**entry, catalog=catalog)
    assert 120 == len(first.records("t"))
    before = len(github.requests)
    second = run_tap(**entry, catalog=catalog, state=first.state)
    assert [] == second.records("t")
    assert 304 in [status for _, status in calls(github, before)]
    github.clock.advance(60)
    repository.upload(newest, "7.csv", b"id\nseven\n")
    third = run_tap(**entry, catalog=catalog, state=second.state)
    assert [{"id": "seven"}] == third.rows("t")
    assert all("Authorization" not in entry.request.headers for entry in github.storage.requests)


def test_a_renamed_repository_is_found_under_its_old_name(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = github.repository("acme/crm", {"a.csv": "id\n1\n"})
    github.world.rename(repository, "acme/new-crm")
    assert [{"id": "1"}] == run_tap(stream_name="t").rows("t")


def test_public_repositories_need_no_token(github: FakeGitHub) -> None:
    github.repository("acme/crm", {"a.csv": "id\n1\n"})
    run = RunTap({"repository": "acme/crm", "path": "**"}, {"api_url": github.api_url})(stream_name="t")
    assert [{"id": "1"}] == run.rows("t")


def test_an_empty_repository_is_an_empty_stream(
    github: FakeGitHub, run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    """S13: that there is no file is told."""
    github.repository("acme/crm")
    run = run_tap(stream_name="t")
    assert (None, []) == (run.error, run.records())
    assert "there is no file for it" in caplog.text


def test_a05_a_repository_that_may_not_be_read_fails_by_name_and_the_others_are_read(
    github: FakeGitHub, run_tap: RunTap
) -> None:
    github.repository("acme/crm", {"a.csv": "id\n1\n"})
    run = run_tap(files=[{"stream_name": "t"}, {"repository": "acme/none", "stream_name": "u"}])
    assert run.error is not None
    assert ExitCode.FAILED == run.error.exit_code
    assert [{"id": "1"}] == run.rows()
    assert "acme/none" in str(run.error.failures["u"])  # type: ignore[attr-defined]


def test_several_repositories_make_one_stream(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/north", {"a.csv": "id,x\n1,a\n"})
    github.repository("acme/south", {"a.csv": "x,id,y\nb,2,c\n"})
    run = run_tap(files=[{"repository": f"acme/{side}", **KEYED} for side in ("north", "south")])
    assert [{"id": "1", "x": "a", "y": None}, {"id": "2", "x": "b", "y": "c"}] == run.rows("t")
    assert ["acme/north", "acme/south"] == [record["_sdc_repository"] for record in run.records("t")]


def test_any_place_that_fsspec_reaches() -> None:
    files = fsspec.filesystem("memory")
    files.pipe({"/exports/a.csv": b"id\n1\n", "/exports/in/b.csv.gz": gzip.compress(b"id\n2\n")})
    try:
        run = RunTap({"location": "memory://exports", "path": "**"})(stream_name="t")
        assert ["1", "2"] == [row["id"] for row in run.rows("t")]
    finally:
        files.rm("/exports", recursive=True)


def test_a_single_file_as_location(run_folder: RunTap, tmp_path: Any) -> None:
    (tmp_path / "one.csv").write_text("id\n1\n", "utf-8")
    assert [{"id": "1"}] == run_folder(location=str(tmp_path / "one.csv")).rows("one")


def test_a_place_that_is_not_there_fails_its_stream(run_folder: RunTap, tmp_path: Any) -> None:
    run = run_folder(location=str(tmp_path / "none"), stream_name="t")
    assert run.error is not None
    assert "check `location`" in str(run.error.failures["t"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("api_url", "root"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://git.example.com/api/v3", "https://git.example.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_git_stands_beside_the_api(api_url: str, root: str) -> None:
    assert root == git_root(api_url)


def test_the_state_is_small_whatever_the_files_hold(github: FakeGitHub, run_tap: RunTap) -> None:
    rows = "".join(f"{n},{'x' * 50}\n" for n in range(20_000))
    github.repository("acme/crm", {"a.csv": "id,name\n" + rows})
    assert len(json.dumps(run_tap(**KEYED).state, default=float)) < 1500


@pytest.mark.parametrize(
    ("faulty", "fault"),
    [
        ({"repository": "crm"}, "files.0.repository: must be owner/name"),
        ({"repository": None}, "files.0: give either repository"),
        ({"location": "x"}, "files.0: give either repository"),
        ({"replication_key": "at"}, "files.0.replication_key: needs key_properties"),
        ({"types": {"a": "money"}}, "files.0.types.a: must be one of"),
        ({"encoding": "klingon"}, "files.0.encoding: Python knows no such encoding"),
        ({"release": "v1", "ref": "main"}, "files.0.release: give either this or ref"),
        ({"long_rows": "drop"}, "files.0.long_rows"),
        ({"delimeter": ";"}, "files.0.delimeter: no such setting; did you mean delimiter?"),
    ],
)
def test_c01_faults_of_an_entry_are_told_before_any_call(
    github: FakeGitHub, run_tap: RunTap, faulty: dict[str, Any], fault: str
) -> None:
    entry = {name: value for name, value in {"repository": "acme/crm", **faulty}.items() if value is not None}
    run = RunTap({}, run_tap.settings)(**entry)
    assert isinstance(run.error, ConfigError)
    assert fault in str(run.error)
    assert 0 == len(github.requests)


def test_c01_contradicting_ways_of_access_are_told_together(run_tap: RunTap) -> None:
    run = run_tap(config={"app_id": "7", "auth_token": "a b"})
    assert isinstance(run.error, ConfigError)
    assert 3 == len(run.error.errors)


def test_an_lfs_pointer_in_a_folder_is_no_file_of_rows(run_folder: RunTap, folder: Path) -> None:
    """A clone without its LFS objects."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    (folder / "a.csv").write_text(pointer, "utf-8")
    (folder / "b.csv").write_text("id\n1\n", "utf-8")
    run = run_folder(stream_name="t")
    assert [{"id": "1"}] == run.rows("t")
    assert "a.csv" in str(run.error.failures["t"])  # type: ignore[union-attr]


def test_s13_an_entry_that_takes_no_file_is_told(
    run_folder: RunTap, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "a.csv").write_text("id\n1\n", "utf-8")
    assert [] == run_folder(path="*.tsv").records()
    assert f"files.0: no file of {folder} fits the path *.tsv" in caplog.text


def test_what_fsspec_lacks_is_named(run_folder: RunTap, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: Any, **__: Any) -> Any:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("tap_csv_github.sources.folder.url_to_fs", lacking)
    run = run_folder(location="s3://bucket/x", stream_name="t")
    assert isinstance(run.error, ConfigError)
    assert "Install s3fs" in str(run.error)


class Broken(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store whose client has errors of its own kind, with the address in them."""

    def find(self, path: str, *_: Any, **__: Any) -> Any:
        raise RuntimeError(f"no answer for {path}?sig=canary")


def test_c02_an_error_of_a_store_fails_its_stream_without_its_address(
    run_folder: RunTap, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.csv").write_text("id\n1\n", "utf-8")
    monkeypatch.setattr("tap_csv_github.sources.folder.url_to_fs", lambda *_, **__: (Broken(), "/x"))
    run = run_folder(location="broken://me:canary@host/x?sig=canary", stream_name="t")
    assert "RuntimeError" in str(run.error.failures["t"])  # type: ignore[union-attr]
    assert "canary" not in f"{run.error.failures} {caplog.text}"  # type: ignore[union-attr]


class Web(MemoryFileSystem):  # type: ignore[misc]  # as above
    """A web server: every page of it is there, also that of a folder; names may have a query."""

    cachable = False

    def isfile(self, _: str) -> bool:
        return True

    def find(self, path: str, *_: Any, **__: Any) -> Any:
        names = ["/x/a.csv", "/x/b.csv"] if path == "/x" else [path]
        return {name: {"name": name, "size": None} for name in names}

    def open(self, path: str, *_: Any, **__: Any) -> Any:
        return io.BytesIO(f"id\n{path[3:]}\n".encode())


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(location: str, **_: Any) -> tuple[Web, str]:
        return Web(), location.removeprefix("web://host")

    monkeypatch.setattr("tap_csv_github.sources.folder.url_to_fs", opened)


@pytest.mark.usefixtures("web")
def test_the_files_of_a_folder_on_the_web_are_read_not_its_page(run_folder: RunTap) -> None:
    run = run_folder(location="web://host/x", path="*.csv", stream_name="t")
    assert ["a.csv", "b.csv"] == [row["id"] for row in run.rows("t")]


@pytest.mark.usefixtures("web")
def test_c02_a_signature_in_a_url_is_in_no_message(run_folder: RunTap, caplog: pytest.LogCaptureFixture) -> None:
    run = run_folder(location="web://host/x/a.csv?sig=canary", path="*.csv")
    (record,) = run.records("a")
    assert ("a.csv", "web://host/x/a.csv") == (record["_sdc_path"], record["_sdc_repository"])
    assert "a.csv?sig=canary" == record.pop("id")  # what the file holds: it was asked for with its signature
    assert "canary" not in f"{run.messages} {caplog.text}"


def test_c01_two_urls_that_differ_in_their_query_only_are_told_of() -> None:
    """One would be taken for the other in state and lineage."""
    files = [{"location": f"https://host.invalid/export.csv?table={name}"} for name in "ab"]
    run = RunTap({})(files=[*files, files[0]])
    assert isinstance(run.error, ConfigError)
    assert ["files.1.location"] == [error.partition(":")[0] for error in run.error.errors]


def test_a_blob_that_github_does_not_give_fails_by_name_and_says_why(
    github: FakeGitHub, run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    """It is refused with 403, which has nothing to do with permissions."""
    github.world.quirks.most_bytes = 50
    github.repository("acme/crm", {"a.csv": "id\n" + "1\n" * 50, "b.csv": "id\n2\n"})
    run = run_tap(stream_name="t")
    assert run.error is not None
    assert ["2"] == [row["id"] for row in run.rows("t")]
    assert "a.csv: is larger than GitHub gives (100 MB); keep it in Git LFS or in a release" in caplog.text
    assert "permission" not in caplog.text


def test_a_full_disk_is_told_as_what_it_is(
    github: FakeGitHub, run_tap: RunTap, waits: list[float], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Not as a broken connection, which would be tried again."""

    def full() -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tap_csv_github.content.tempfile.TemporaryFile", full)
    github.repository("acme/crm", {"a.csv": "id\n" + "1\n" * 200_000, "b.csv": "id\n2\n"})
    run = run_tap(stream_name="t")
    assert run.error is not None
    assert ["2"] == [row["id"] for row in run.rows("t")]
    assert "No space left on device" in caplog.text
    assert waits == []


def test_a_part_of_a_file_is_asked_for_as_it_is(github: FakeGitHub, run_tap: RunTap) -> None:
    """Of a packed body the first bytes would be others, and fewer."""
    github.repository("acme/crm", {"a.csv": "id,name\n" + "1,abcdefgh\n" * 120_000})
    run_tap.catalog(stream_name="t")
    (asked,) = [entry.request.headers for entry in github.requests if "/blobs/" in entry.path]
    assert ("bytes=0-65535", "identity") == (asked["Range"], asked["Accept-Encoding"])
