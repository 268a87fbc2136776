"""Releases, their files, and Git LFS: what is not in the tree itself."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fake_crm.github.errors import RefusalError, not_found
from fake_crm.github.views import asset_view, release_view
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.github.call import Call
    from fake_crm.github.repository import Asset, Release, Repository

__all__ = ["asset", "assets", "latest", "lfs_batch", "release", "release_of_tag", "releases"]

_LFS = "application/vnd.git-lfs+json"


def _base(call: Call, here: Repository) -> str:
    return f"{call.root}/repos/{here.full_name}"


def _public(here: Repository) -> list[Release]:
    """What is published, the newest first."""
    return [each for each in reversed(here.releases) if not each.is_draft]


def releases(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/releases."""
    here = call.repository()
    rows, links = call.page(_public(here))
    return Reply.of([release_view(each, _base(call, here)) for each in rows], headers=links)


def latest(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/releases/latest: neither drafts nor prereleases."""
    here = call.repository()
    return _shown(call, here, next((each for each in _public(here) if not each.is_prerelease), None))


def release_of_tag(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/releases/tags/{tag}."""
    here = call.repository()
    return _shown(call, here, next((each for each in _public(here) if each.tag == call.parts["tag"]), None))


def release(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/releases/{release_id}."""
    here = call.repository()
    return _shown(call, here, next((each for each in here.releases if str(each.id) == call.parts["release"]), None))


def _shown(call: Call, here: Repository, found: Release | None) -> Reply:
    if found is None:
        raise not_found()
    return Reply.of(release_view(found, _base(call, here)))


def assets(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/releases/{release_id}/assets."""
    here = call.repository()
    found = next((each for each in here.releases if str(each.id) == call.parts["release"]), None)
    if found is None:
        raise not_found()
    rows, links = call.page(found.assets)
    return Reply.of([asset_view(each, _base(call, here)) for each in rows], headers=links)


def asset(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/releases/assets/{asset_id}: by `Accept` itself, or a redirect to the storage."""
    here = call.repository()
    all_assets = (each for one in here.releases for each in one.assets)
    found: Asset | None = next((each for each in all_assets if str(each.id) == call.parts["asset"]), None)
    if found is None:
        raise not_found()
    if call.accept != "application/octet-stream":
        return Reply.of(asset_view(found, _base(call, here)))
    location = call.world.storage.keep(found.content)
    return Reply(302, headers={"Location": location})


def lfs_batch(call: Call) -> Reply:
    """POST /{owner}/{repo}.git/info/lfs/objects/batch (git-lfs, docs/api/batch.md)."""
    here, headers = call.repository(), call.request.headers
    if not headers.get("Accept", "").startswith(_LFS) or not headers.get("Content-Type", "").startswith(_LFS):
        raise RefusalError(406, f"Accept and Content-Type must be {_LFS}")
    order: Any = call.request.json
    if (
        not isinstance(order, dict)
        or order.get("operation") != "download"
        or not isinstance(order.get("objects"), list)
    ):
        raise RefusalError(422, "Invalid batch request")
    shown = [_lfs_object(call, here, each) for each in order["objects"]]
    body = {"transfer": "basic", "objects": shown, "hash_algo": "sha256"}
    answer = Reply.of(body)
    return Reply(200, answer.body, {}, _LFS)


def _lfs_object(call: Call, here: Repository, wanted: dict[str, Any]) -> dict[str, Any]:
    content = here.lfs.get(wanted.get("oid", ""))
    head = {"oid": wanted.get("oid"), "size": wanted.get("size")}
    if content is None or len(content) != wanted.get("size"):
        return {**head, "error": {"code": 404, "message": "Object does not exist"}}
    assert hashlib.sha256(content).hexdigest() == wanted["oid"]
    href = call.world.storage.keep(content, key="lfs")
    action = {"href": href, "header": {"X-Storage-Key": "lfs"}, "expires_in": 3600}
    return {**head, "authenticated": True, "actions": {"download": action}}
