"""Git's own objects: blobs, trees and commits, named by the hashes that git gives them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

__all__ = ["FILE", "SUBMODULE", "SYMLINK", "Commit", "Node", "Objects", "blob_sha"]

FILE, SYMLINK, SUBMODULE, FOLDER = "100644", "120000", "160000", "040000"


def blob_sha(content: bytes) -> str:
    """The name that git gives to a file's content."""
    return _sha("blob", content)


def _sha(kind: str, content: bytes) -> str:
    return hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(content), content)).hexdigest()  # noqa: S324 - git's hash


@dataclass(frozen=True)
class Node:
    """One entry of a tree."""

    mode: str
    sha: str

    @property
    def type(self) -> str:
        """What GitHub calls it."""
        return {FOLDER: "tree", SUBMODULE: "commit"}.get(self.mode, "blob")


@dataclass(frozen=True)
class Commit:
    """One commit."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    at: datetime


class Objects:
    """All objects of a repository; nothing is ever changed in place."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Node]] = {}
        self.commits: dict[str, Commit] = {}

    def add_blob(self, content: bytes) -> str:
        """Keep a content; its name."""
        sha = blob_sha(content)
        self.blobs[sha] = content
        return sha

    def add_tree(self, files: Mapping[str, Node]) -> str:
        """Keep a folder, given by all files below it; its name."""
        entries: dict[str, Node] = {}
        below: dict[str, dict[str, Node]] = {}
        for path, node in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = node
            else:
                entries[name] = node
        for name, inside in below.items():
            entries[name] = Node(FOLDER, self.add_tree(inside))
        ordered = dict(sorted(entries.items(), key=lambda pair: pair[0] + "/" * (pair[1].mode == FOLDER)))
        lines = (
            b"%s %s\0%s" % (node.mode.lstrip("0").encode(), name.encode(), bytes.fromhex(node.sha))
            for name, node in ordered.items()
        )
        sha = _sha("tree", b"".join(lines))
        self.trees[sha] = ordered
        return sha

    def add_commit(self, tree: str, parents: tuple[str, ...], message: str, author: str, at: datetime) -> Commit:
        """Keep a commit."""
        when = f"{author} <{author}@example.com> {int(at.timestamp())} +0000"
        head = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        text = "\n".join([*head, f"author {when}", f"committer {when}", "", message])
        commit = Commit(_sha("commit", text.encode()), tree, parents, message, author, at)
        self.commits[commit.sha] = commit
        return commit

    def walk(self, tree: str, prefix: str = "") -> Iterator[tuple[str, Node]]:
        """Every entry below a tree, folders before what is in them."""
        for name, node in self.trees[tree].items():
            yield prefix + name, node
            if node.mode == FOLDER:
                yield from self.walk(node.sha, f"{prefix}{name}/")

    def files(self, tree: str) -> dict[str, Node]:
        """Every entry that is no folder, by path."""
        return {path: node for path, node in self.walk(tree) if node.mode != FOLDER}

    def ancestry(self, sha: str) -> Iterator[Commit]:
        """A commit and those before it, the newest first."""
        waiting, seen = [sha], set[str]()
        while waiting:
            commit = self.commits[waiting.pop(0)]
            if commit.sha not in seen:
                seen.add(commit.sha)
                yield commit
                waiting.extend(commit.parents)

    def keep_only(self, heads: list[str]) -> None:
        """Forget all that no head leads to, as a garbage collection does after a force push."""
        commits = {each.sha: each for head in heads for each in self.ancestry(head)}
        trees, blobs = set[str](), set[str]()
        for commit in commits.values():
            trees.add(commit.tree)
            for _, node in self.walk(commit.tree):
                (trees if node.mode == FOLDER else blobs).add(node.sha)
        self.commits = commits
        self.trees = {sha: entries for sha, entries in self.trees.items() if sha in trees}
        self.blobs = {sha: content for sha, content in self.blobs.items() if sha in blobs}
