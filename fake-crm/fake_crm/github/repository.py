"""One repository: its branches, tags and releases, and everything that people do to it."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fake_crm.github.objects import FILE, SUBMODULE, SYMLINK, Node, Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from fake_crm.github.objects import Commit

__all__ = ["Asset", "Release", "Repository"]

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"


@dataclass
class Asset:
    """A file beside a release."""

    id: int
    name: str
    content: bytes
    updated: datetime


@dataclass
class Release:
    """A release of a tag."""

    id: int
    tag: str
    created: datetime
    is_draft: bool = False
    is_prerelease: bool = False
    assets: list[Asset] = field(default_factory=list)


class Repository:
    """A git repository as GitHub keeps it; every method that changes it is what a push or a click would do."""

    def __init__(self, number: int, owner: str, name: str, now: Callable[[], datetime], *, private: bool) -> None:
        self.number = number
        self.owner = owner
        self.name = name
        self.private = private
        self.default_branch = "main"
        self.objects = Objects()
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.releases: list[Release] = []
        self.lfs: dict[str, bytes] = {}
        self._now = now
        self._ids = itertools.count(number * 1000 + 1)

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.name}"

    def commit(
        self,
        files: Mapping[str, bytes | str | None],
        *,
        branch: str | None = None,
        message: str = "Edit",
        author: str = "ada",
    ) -> Commit:
        """Write files (None: delete them) on a branch, which begins at the default branch's head if it is new."""
        branch = branch or self.default_branch
        head = self.branches.get(branch) or self.branches.get(self.default_branch)
        nodes = self.nodes(head) if head else {}
        for path, content in files.items():
            if content is None:
                del nodes[path]
            else:
                data = content.encode() if isinstance(content, str) else content
                nodes[path] = Node(FILE, self.objects.add_blob(data))
        return self._put(branch, nodes, (head,) if head else (), message, author)

    def rename(self, old: str, new: str, *, branch: str | None = None) -> Commit:
        """Move a file."""
        branch = branch or self.default_branch
        nodes = self.nodes(self.branches[branch])
        nodes[new] = nodes.pop(old)
        return self._put(branch, nodes, (self.branches[branch],), f"Move {old}", "ada")

    def link(self, path: str, target: str) -> Commit:
        """Make a symbolic link."""
        node = Node(SYMLINK, self.objects.add_blob(target.encode()))
        return self._with(path, node, f"Link {path}")

    def submodule(self, path: str, sha: str) -> Commit:
        """Add a submodule at a commit of another repository."""
        return self._with(path, Node(SUBMODULE, sha), f"Add {path}")

    def commit_lfs(self, path: str, content: bytes) -> Commit:
        """Write a file by Git LFS: a pointer in the tree, its content beside it."""
        oid = hashlib.sha256(content).hexdigest()
        self.lfs[oid] = content
        return self.commit({path: _POINTER.format(oid=oid, size=len(content))})

    def force_push(self, files: Mapping[str, bytes | str], *, branch: str | None = None) -> Commit:
        """Replace a branch's history by one commit of these files."""
        nodes = {
            path: Node(FILE, self.objects.add_blob(data.encode() if isinstance(data, str) else data))
            for path, data in files.items()
        }
        return self._put(branch or self.default_branch, nodes, (), "Start over", "ada")

    def collect_garbage(self) -> None:
        """Forget what no branch and no tag leads to any more."""
        self.objects.keep_only([*self.branches.values(), *self.tags.values()])

    def tag(self, name: str, sha: str | None = None) -> None:
        """Set a tag, at the default branch's head if nothing else is said."""
        self.tags[name] = sha or self.branches[self.default_branch]

    def release(self, tag: str, assets: Mapping[str, bytes]) -> Release:
        """Publish a release with files."""
        if tag not in self.tags:
            self.tag(tag)
        made = Release(next(self._ids), tag, self._now())
        self.releases.append(made)
        for name, content in assets.items():
            self.upload(made, name, content)
        return made

    def upload(self, release: Release, name: str, content: bytes) -> Asset:
        """Put a file beside a release; one of the same name is replaced, with an id of its own."""
        release.assets = [each for each in release.assets if each.name != name]
        asset = Asset(next(self._ids), name, content, self._now())
        release.assets.append(asset)
        return asset

    def files(self, ref: str | None = None) -> dict[str, bytes]:
        """What stands at a ref: the oracle. LFS files with their content, links and submodules left out."""
        sha = self.resolve(ref)
        found: dict[str, bytes] = {}
        for path, node in (self.nodes(sha) if sha else {}).items():
            if node.mode == FILE:
                content = self.objects.blobs[node.sha]
                found[path] = self._beyond_pointer(content)
        return found

    def resolve(self, ref: str | None) -> str | None:
        """The commit of a branch, a tag, a sha (7 digits or more) or HEAD."""
        if ref is None or ref == "HEAD":
            return self.branches.get(self.default_branch)
        plain = ref.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")
        known = self.branches.get(plain) or self.tags.get(plain)
        if known is None and len(ref) >= 7 and set(ref) <= set("0123456789abcdef"):  # noqa: PLR2004 - git's shortest
            known = next((sha for sha in self.objects.commits if sha.startswith(ref)), None)
        return known if known in self.objects.commits else None

    def nodes(self, sha: str) -> dict[str, Node]:
        """All entries of a commit that are no folders."""
        return self.objects.files(self.objects.commits[sha].tree)

    def _with(self, path: str, node: Node, message: str) -> Commit:
        head = self.branches[self.default_branch]
        return self._put(self.default_branch, {**self.nodes(head), path: node}, (head,), message, "ada")

    def _put(self, branch: str, nodes: Mapping[str, Node], parents: tuple[str, ...], message: str, by: str) -> Commit:
        at = self._now().replace(microsecond=0)
        made = self.objects.add_commit(self.objects.add_tree(nodes), parents, message, by, at)
        self.branches[branch] = made.sha
        return replace(made)

    def _beyond_pointer(self, content: bytes) -> bytes:
        lines = content[:200].split(b"\n")
        if lines[0] != b"version https://git-lfs.github.com/spec/v1":
            return content
        return self.lfs[lines[1].rpartition(b":")[2].decode()]
