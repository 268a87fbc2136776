"""What GitHub refuses, redirects, cuts and limits, the fake does too."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
import requests

from fake_crm import FakeGitHub
from fake_crm.github.limits import RateLimits

if TYPE_CHECKING:
    from tests.fake_crm.github.conftest import Asker

RAW = {"Accept": "application/vnd.github.raw+json"}
LFS = "application/vnd.git-lfs+json"


def test_a_raw_blob_is_its_bytes(fake_github: FakeGitHub, ask: Asker) -> None:
    fake_github.repository("acme/crm", {"a.csv": b"\xff\x00"})
    sha = ask.get("/repos/acme/crm/git/trees/main").json()["tree"][0]["sha"]
    assert b"\xff\x00" == ask.get(f"/repos/acme/crm/git/blobs/{sha}", headers=RAW).content
    assert 404 == ask.get(f"/repos/acme/crm/git/blobs/{'0' * 40}", headers=RAW).status_code


def test_any_value_of_recursive_makes_a_tree_recursive_and_a_long_one_is_cut(
    fake_github: FakeGitHub, ask: Asker
) -> None:
    fake_github.repository("acme/crm", {f"d{n}/x.csv": "x" for n in range(3)})
    fake_github.world.quirks.tree_entries = 4
    answer = ask.get("/repos/acme/crm/git/trees/main", recursive="0").json()
    assert (4, True) == (len(answer["tree"]), answer["truncated"])
    assert 3 == len(ask.get("/repos/acme/crm/git/trees/main").json()["tree"])


def test_contents_above_a_megabyte_come_without_content(fake_github: FakeGitHub, ask: Asker) -> None:
    fake_github.world.quirks.inline_bytes = 10
    fake_github.repository("acme/crm", {"a.csv": "x" * 11})
    answer = ask.get("/repos/acme/crm/contents/a.csv").json()
    assert ("", "none", 11) == (answer["content"], answer["encoding"], answer["size"])
    assert b"x" * 11 == ask.get("/repos/acme/crm/contents/a.csv", headers=RAW).content


@pytest.mark.parametrize("size", [11, 9])
def test_a_blob_above_the_limit_is_refused(fake_github: FakeGitHub, ask: Asker, size: int) -> None:
    fake_github.world.quirks.most_bytes = 10
    fake_github.repository("acme/crm", {"a.csv": "x" * size})
    sha = ask.get("/repos/acme/crm/git/trees/main").json()["tree"][0]["sha"]
    assert (403 if size > 10 else 200) == ask.get(f"/repos/acme/crm/git/blobs/{sha}", headers=RAW).status_code


def test_what_did_not_change_is_304_and_free(fake_github: FakeGitHub, ask: Asker, ask_as_nobody: Asker) -> None:
    repository = fake_github.repository("acme/crm", {"a.csv": "x"})
    first = ask.get("/repos/acme/crm/commits/main")
    again = ask.get("/repos/acme/crm/commits/main", headers={"If-None-Match": first.headers["ETag"]})
    assert (304, b"") == (again.status_code, again.content)
    assert first.headers["X-RateLimit-Remaining"] == again.headers["X-RateLimit-Remaining"]
    repository.commit({"a.csv": "y"})
    assert 200 == ask.get("/repos/acme/crm/commits/main", headers={"If-None-Match": first.headers["ETag"]}).status_code
    stranger = ask_as_nobody.get("/repos/acme/crm/commits/main")
    once_more = ask_as_nobody.get("/repos/acme/crm/commits/main", headers={"If-None-Match": stranger.headers["ETag"]})
    assert (304, "58") == (once_more.status_code, once_more.headers["X-RateLimit-Remaining"])


def test_a_renamed_repository_is_redirected_by_its_number(fake_github: FakeGitHub, ask: Asker) -> None:
    repository = fake_github.repository("acme/old", {"a.csv": "x"})
    fake_github.world.rename(repository, "acme/new")
    moved = ask.get("/repos/acme/old/commits/main")
    assert (301, f"{fake_github.api_url}/repositories/1/commits/main") == (
        moved.status_code,
        moved.headers["Location"],
    )
    assert 200 == ask.get("/repositories/1/commits/main").status_code


@pytest.mark.parametrize("version", ["2022-11-28", "2026-03-10", "2025-01-01"])
def test_only_known_versions_are_served(fake_github: FakeGitHub, ask: Asker, version: str) -> None:
    fake_github.repository("acme/crm", {"a.csv": "x"})
    answer = ask.get("/repos/acme/crm", headers={"X-GitHub-Api-Version": version})
    assert (400 if version == "2025-01-01" else 200) == answer.status_code


def test_a_parameter_that_github_does_not_know_is_refused(fake_github: FakeGitHub, ask: Asker) -> None:
    fake_github.repository("acme/crm", {"a.csv": "x"})
    assert 422 == ask.get("/repos/acme/crm/git/trees/main", recursiv="1").status_code


def test_a_used_up_hour_is_403_until_its_end() -> None:
    with FakeGitHub(limits=RateLimits(hourly=2, anonymous=1), clock="2026-11-01T00:00:00Z") as github:
        github.repository("acme/crm", {"a.csv": "x"})
        url, headers = f"{github.api_url}/repos/acme/crm", {"Authorization": "Bearer test-token"}
        codes = [requests.get(url, headers=headers, timeout=9).status_code for _ in range(3)]
        assert [200, 200, 403] == codes
        free = requests.get(f"{github.api_url}/rate_limit", headers=headers, timeout=9).json()
        assert 0 == free["resources"]["core"]["remaining"]
        assert "rate" not in free
        assert [200, 403] == [requests.get(url, timeout=9).status_code for _ in range(2)]
        github.clock.advance(3601)
        assert 200 == requests.get(url, headers=headers, timeout=9).status_code


def test_a_burst_is_refused_with_a_wait() -> None:
    with FakeGitHub(limits=RateLimits(per_minute=2), clock="2026-11-01T00:00:00Z") as github:
        github.repository("acme/crm", {"a.csv": "x"})
        answers = [requests.get(f"{github.api_url}/repos/acme/crm", timeout=9) for _ in range(3)]
        assert [200, 200, 403] == [each.status_code for each in answers]
        assert "60" == answers[-1].headers["Retry-After"]
        assert "secondary rate limit" in answers[-1].json()["message"]


def test_a_release_file_is_redirected_to_a_storage_that_wants_no_token(fake_github: FakeGitHub, ask: Asker) -> None:
    asset = fake_github.repository("acme/crm", {"a.csv": "x"}).release("v1", {"x.csv": b"id"}).assets[0]
    path = f"/repos/acme/crm/releases/assets/{asset.id}"
    assert "x.csv" == ask.get(path).json()["name"]
    answer = ask.get(path, headers={"Accept": "application/octet-stream"})
    location = answer.headers["Location"]
    assert answer.status_code == 302
    assert b"id" == requests.get(location, timeout=9).content
    assert 400 == requests.get(location, headers={"Authorization": "Bearer test-token"}, timeout=9).status_code
    assert 403 == requests.get(location.partition("?")[0], timeout=9).status_code


def test_lfs_gives_a_link_and_the_header_it_needs(fake_github: FakeGitHub) -> None:
    repository = fake_github.repository("acme/crm", {"a.csv": "x"})
    repository.commit_lfs("big.csv", b"id\n1\n")
    oid = hashlib.sha256(b"id\n1\n").hexdigest()
    url = f"{fake_github.url}/acme/crm.git/info/lfs/objects/batch"
    order = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": oid, "size": 5}]}
    headers = {"Accept": LFS, "Content-Type": LFS}
    answer = requests.post(url, data=json.dumps(order), headers=headers, auth=("x", "test-token"), timeout=9).json()
    action = answer["objects"][0]["actions"]["download"]
    assert b"id\n1\n" == requests.get(action["href"], headers=action["header"], timeout=9).content
    assert 403 == requests.get(action["href"], timeout=9).status_code
    assert 406 == requests.post(url, data=json.dumps(order), timeout=9).status_code
    missing = {**order, "objects": [{"oid": "0" * 64, "size": 5}]}
    answer = requests.post(url, data=json.dumps(missing), headers=headers, timeout=9).json()
    assert 404 == answer["objects"][0]["error"]["code"]
