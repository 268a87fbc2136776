"""What GitHub shows of things, as JSON (field names: OpenAPI description of the REST API, 2026-03-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fake_crm.github.objects import Commit, Node
    from fake_crm.github.repository import Asset, Release, Repository

__all__ = ["asset_view", "branch_view", "commit_view", "entry_view", "release_view", "repository_view", "stamp"]

Json = dict[str, Any]


def stamp(at: datetime) -> str:
    """An instant as GitHub writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _user(name: str) -> Json:
    return {"login": name, "id": sum(name.encode()), "type": "User", "site_admin": False}


def repository_view(repository: Repository, root: str) -> Json:
    """A repository; `rate` and other fields that 2026-03-10 has dropped are not there."""
    size = sum(map(len, repository.objects.blobs.values())) // 1024
    newest = max((each.at for each in repository.objects.commits.values()), default=None)
    return {
        "id": repository.number,
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "visibility": "private" if repository.private else "public",
        "owner": _user(repository.owner),
        "default_branch": repository.default_branch,
        "size": size,
        "pushed_at": stamp(newest) if newest else None,
        "url": f"{root}/repos/{repository.full_name}",
        "html_url": f"https://github.com/{repository.full_name}",
    }


def _git_commit(commit: Commit, base: str) -> Json:
    who = {"name": commit.author, "email": f"{commit.author}@example.com", "date": stamp(commit.at)}
    return {
        "author": who,
        "committer": who,
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{base}/git/trees/{commit.tree}"},
        "url": f"{base}/git/commits/{commit.sha}",
        "comment_count": 0,
    }


def commit_view(commit: Commit, base: str, files: list[Json] | None = None) -> Json:
    """A commit; `files` only where one is asked for by itself."""
    return {
        "sha": commit.sha,
        "url": f"{base}/commits/{commit.sha}",
        "commit": _git_commit(commit, base),
        "author": _user(commit.author),
        "committer": _user(commit.author),
        "parents": [{"sha": sha, "url": f"{base}/commits/{sha}"} for sha in commit.parents],
        **({} if files is None else {"files": files, "stats": {"total": len(files)}}),
    }


def branch_view(name: str, commit: Commit, base: str) -> Json:
    """A branch and its head."""
    return {"name": name, "commit": commit_view(commit, base), "protected": False}


def entry_view(path: str, node: Node, blobs: Mapping[str, bytes], base: str) -> Json:
    """An entry of a tree."""
    kind = {"tree": "trees", "blob": "blobs"}.get(node.type)
    shown: Json = {"path": path, "mode": node.mode, "type": node.type, "sha": node.sha}
    if node.type == "blob":
        shown["size"] = len(blobs[node.sha])
    if kind:
        shown["url"] = f"{base}/git/{kind}/{node.sha}"
    return shown


def asset_view(asset: Asset, base: str) -> Json:
    """A file beside a release."""
    return {
        "id": asset.id,
        "name": asset.name,
        "label": None,
        "state": "uploaded",
        "content_type": "text/csv",
        "size": len(asset.content),
        "download_count": 0,
        "created_at": stamp(asset.updated),
        "updated_at": stamp(asset.updated),
        "url": f"{base}/releases/assets/{asset.id}",
        "browser_download_url": f"https://github.com/-/releases/download/-/{asset.name}",
    }


def release_view(release: Release, base: str) -> Json:
    """A release with its files."""
    return {
        "id": release.id,
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.tag,
        "body": "",
        "draft": release.is_draft,
        "prerelease": release.is_prerelease,
        "created_at": stamp(release.created),
        "published_at": stamp(release.created),
        "author": _user("ada"),
        "url": f"{base}/releases/{release.id}",
        "assets": [asset_view(asset, base) for asset in release.assets],
    }
