"""PyGithub, unmodified, against the fake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, BadCredentialsException, Github, GithubException, GithubIntegration, UnknownObjectException

from fake_crm.github.access import App

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_crm import FakeGitHub


@pytest.fixture
def client(fake_github: FakeGitHub) -> Iterator[Github]:
    with Github(auth=Auth.Token(fake_github.token), base_url=fake_github.api_url, retry=None) as client:
        yield client


def test_it_reads_repositories_branches_tags_and_commits(fake_github: FakeGitHub, client: Github) -> None:
    repository = fake_github.repository("acme/crm", {"data/a.csv": "id\n1\n", "b.csv": "x"})
    second = repository.commit({"b.csv": "y"}, message="Second", author="grace")
    repository.tag("v1")
    repository.commit({"c.csv": "z"}, branch="work")
    there = client.get_repo("acme/crm")
    assert ("main", "acme/crm", False) == (there.default_branch, there.full_name, there.private)
    assert {"main", "work"} == {branch.name for branch in there.get_branches()}
    assert second.sha == there.get_branch("main").commit.sha == there.get_commit("v1").sha
    assert ["v1"] == [tag.name for tag in there.get_tags()]
    assert ["Second", "Begin"] == [commit.commit.message for commit in there.get_commits()]
    assert [second.sha] == [commit.sha for commit in there.get_commits(path="b.csv")][:1]
    assert second.sha == there.get_git_ref("heads/main").object.sha


def test_it_reads_trees_blobs_and_contents(fake_github: FakeGitHub, client: Github) -> None:
    repository = fake_github.repository("acme/crm", {"data/a.csv": "id\n1\n", "b.csv": "x"})
    repository.submodule("vendor", "1" * 40)
    repository.link("link.csv", "b.csv")
    there = client.get_repo("acme/crm")
    tree = there.get_git_tree("main", recursive=True)
    assert {
        ("data", "tree"),
        ("data/a.csv", "blob"),
        ("b.csv", "blob"),
        ("vendor", "commit"),
        ("link.csv", "blob"),
    } == {(entry.path, entry.type) for entry in tree.tree}
    blob = there.get_git_blob(next(entry.sha for entry in tree.tree if entry.path == "b.csv"))
    assert ("base64", 1) == (blob.encoding, blob.size)
    content = there.get_contents("data/a.csv")
    assert not isinstance(content, list)
    assert b"id\n1\n" == content.decoded_content
    listing = there.get_contents("")
    assert isinstance(listing, list)
    assert {"b.csv": "file", "data": "dir", "link.csv": "symlink", "vendor": "submodule"} == {
        entry.path: entry.type for entry in listing
    }


def test_it_reads_releases_and_their_files(fake_github: FakeGitHub, client: Github) -> None:
    repository = fake_github.repository("acme/crm", {"a.csv": "x"})
    repository.release("v1", {"old.csv": b"id\n1\n"})
    repository.release("v2", {"new.csv": b"id\n2\n"})
    there = client.get_repo("acme/crm")
    assert ["v2", "v1"] == [release.tag_name for release in there.get_releases()]
    assert ["new.csv"] == [asset.name for asset in there.get_latest_release().get_assets()]
    assert ["old.csv"] == [asset.name for asset in there.get_release("v1").get_assets()]


def test_it_is_told_the_rate_limit(client: Github, fake_github: FakeGitHub) -> None:
    fake_github.repository("acme/crm", {"a.csv": "x"})
    client.get_repo("acme/crm")
    assert (4999, 5000) == client.rate_limiting


def test_refusals_are_the_clients_own_errors(fake_github: FakeGitHub, client: Github) -> None:
    fake_github.repository("acme/empty")
    fake_github.repository("acme/secret", {"a.csv": "x"}, private=True)
    with pytest.raises(UnknownObjectException):
        client.get_repo("acme/none")
    with pytest.raises(GithubException, match="empty"):
        client.get_repo("acme/empty").get_git_tree("main")
    stranger = Github(auth=Auth.Token("wrong"), base_url=fake_github.api_url, retry=None)
    with pytest.raises(BadCredentialsException):
        stranger.get_repo("acme/secret")
    with pytest.raises(UnknownObjectException):
        Github(base_url=fake_github.api_url, retry=None).get_repo("acme/secret")


def test_an_app_gets_tokens_for_its_installation(fake_github: FakeGitHub) -> None:
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    fake_github.access.apps["77"] = App(numbers.n, numbers.e, {5: frozenset({"acme/secret"})})
    fake_github.repository("acme/secret", {"a.csv": "x"}, private=True)
    fake_github.repository("acme/other", {"a.csv": "x"}, private=True)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    # its JWT is made by this machine's clock, so the fake's must go with it
    fake_github.clock.set(datetime.now(UTC))
    integration = GithubIntegration(auth=Auth.AppAuth(77, pem), base_url=fake_github.api_url)
    token = integration.get_access_token(5).token
    assert token.startswith("ghs_77_")
    assert len(token) > 100
    there = Github(auth=Auth.Token(token), base_url=fake_github.api_url, retry=None)
    assert there.get_repo("acme/secret").private
    with pytest.raises(UnknownObjectException):
        there.get_repo("acme/other")
