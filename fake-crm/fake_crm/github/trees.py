"""Commits, branches, trees, blobs and contents."""

from __future__ import annotations

import base64
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from fake_crm.github.errors import RefusalError, not_found
from fake_crm.github.objects import SUBMODULE, SYMLINK
from fake_crm.github.views import branch_view, commit_view, entry_view, repository_view
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.github.call import Call
    from fake_crm.github.objects import Node
    from fake_crm.github.repository import Repository

__all__ = ["blob", "branch", "branches", "commit", "commits", "contents", "ref", "repository", "tags", "tree"]

_RAW = ("application/vnd.github.raw", "application/vnd.github.raw+json", "application/vnd.github.v3.raw")
_FILES_OF_A_COMMIT = 300


def _base(call: Call, repository: Repository) -> str:
    return f"{call.root}/repos/{repository.full_name}"


def repository(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}."""
    return Reply.of(repository_view(call.repository(), call.root))


def branches(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/branches."""
    here = call.repository()
    rows, links = call.page(sorted(here.branches))
    shown = [{"name": name, "commit": {"sha": here.branches[name]}, "protected": False} for name in rows]
    return Reply.of(shown, headers=links)


def branch(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/branches/{branch}."""
    here, name = call.repository(), call.parts["branch"]
    if name not in here.branches:
        raise RefusalError(404, "Branch not found")
    return Reply.of(branch_view(name, here.objects.commits[here.branches[name]], _base(call, here)))


def tags(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/tags."""
    here = call.repository()
    rows, links = call.page(sorted(here.tags))
    return Reply.of([{"name": name, "commit": {"sha": here.tags[name]}} for name in rows], headers=links)


def ref(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/ref/{ref}."""
    here, name = call.repository(), call.parts["ref"]
    known = {**{f"heads/{k}": v for k, v in here.branches.items()}, **{f"tags/{k}": v for k, v in here.tags.items()}}
    if name not in known:
        raise not_found()
    return Reply.of({"ref": f"refs/{name}", "object": {"type": "commit", "sha": known[name]}})


def commit(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits/{ref}."""
    here = call.repository()
    found = here.objects.commits[call.commit_of(here, call.parts["ref"])]
    before = here.nodes(found.parents[0]) if found.parents and found.parents[0] in here.objects.commits else {}
    now = here.nodes(found.sha)
    changed = [path for path in {**before, **now} if before.get(path) != now.get(path)]
    files = [{"filename": path, "sha": now[path].sha if path in now else None} for path in sorted(changed)]
    rows, links = call.page(files[:_FILES_OF_A_COMMIT], default=_FILES_OF_A_COMMIT)
    return Reply.of(commit_view(found, _base(call, here), rows), headers=links)


def commits(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits with sha, path, since and until."""
    here = call.repository()
    history = list(here.objects.ancestry(call.commit_of(here, call.param("sha"))))
    path, since, until = (call.param(name) for name in ("path", "since", "until"))
    if path:
        history = [each for each in history if _touches(here, each.sha, each.parents, path)]
    if since:
        history = [each for each in history if each.at >= datetime.fromisoformat(since)]
    if until:
        history = [each for each in history if each.at <= datetime.fromisoformat(until)]
    rows, links = call.page(history)
    return Reply.of([commit_view(each, _base(call, here)) for each in rows], headers=links)


def _touches(here: Repository, sha: str, parents: tuple[str, ...], path: str) -> bool:
    def seen(at: str) -> list[tuple[str, Node]]:
        return [(name, node) for name, node in here.nodes(at).items() if name == path or name.startswith(f"{path}/")]

    return seen(sha) != (seen(parents[0]) if parents else [])


def tree(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/trees/{sha}: any value of `recursive`, 0 too, makes it recursive."""
    here, name = call.repository(), call.parts["sha"]
    sha = name if name in here.objects.trees else here.objects.commits[call.commit_of(here, name)].tree
    whole = here.objects.walk(sha) if call.param("recursive") is not None else iter(here.objects.trees[sha].items())
    limit = call.world.quirks.tree_entries
    found = list(islice(whole, limit + 1))
    base = _base(call, here)
    shown = [entry_view(path, node, here.objects.blobs, base) for path, node in found[:limit]]
    return Reply.of({"sha": sha, "url": f"{base}/git/trees/{sha}", "tree": shown, "truncated": len(found) > limit})


def blob(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/git/blobs/{sha}."""
    here, sha = call.repository(), call.parts["sha"]
    content = here.objects.blobs.get(sha)
    if content is None:
        raise not_found()
    if len(content) > call.world.quirks.most_bytes:
        raise RefusalError(
            403, "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch."
        )
    if call.accept.partition(";")[0] in _RAW:
        return Reply(200, content, content_type="application/vnd.github.raw+json; charset=utf-8")
    url = f"{_base(call, here)}/git/blobs/{sha}"
    return Reply.of({"sha": sha, "size": len(content), "url": url, **_inline(content)})


def _inline(content: bytes) -> dict[str, str]:
    return {"content": base64.encodebytes(content).decode(), "encoding": "base64"}


def contents(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/contents/{path}."""
    here, path = call.repository(), call.parts["path"].strip("/")
    nodes = here.nodes(call.commit_of(here, call.param("ref")))
    if path in nodes:
        return _content(call, here, path, nodes[path])
    prefix = f"{path}/" if path else ""
    inside = sorted({prefix + name[len(prefix) :].partition("/")[0] for name in nodes if name.startswith(prefix)})
    if not inside:
        raise not_found()
    limit = call.world.quirks.listing_entries
    return Reply.of([_content_head(call, here, each, nodes.get(each)) for each in inside[:limit]])


def _content_head(call: Call, here: Repository, path: str, node: Node | None) -> dict[str, Any]:
    """An entry of a listing; since 2026-03-10 a submodule is told as one."""
    kinds = {SYMLINK: "symlink", SUBMODULE: "submodule"}
    size = len(here.objects.blobs.get(node.sha, b"")) if node else 0
    return {
        "type": "dir" if node is None else kinds.get(node.mode, "file"),
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": node.sha if node else "",
        "size": size,
        "url": f"{_base(call, here)}/contents/{path}",
        "download_url": None,
        "html_url": None,
        "git_url": None,
    }


def _content(call: Call, here: Repository, path: str, node: Node) -> Reply:
    head = _content_head(call, here, path, node)
    if node.mode == SUBMODULE:
        return Reply.of({**head, "submodule_git_url": None})
    content = here.objects.blobs[node.sha]
    quirks, accept = call.world.quirks, call.accept.partition(";")[0]
    if len(content) > quirks.most_bytes:
        raise RefusalError(403, "This API returns blobs up to 100 MB in size.")
    if accept in _RAW:
        return Reply(200, content, content_type="application/vnd.github.raw+json; charset=utf-8")
    if len(content) > quirks.inline_bytes:
        return Reply.of({**head, "content": "", "encoding": "none"})
    return Reply.of({**head, **_inline(content)})
