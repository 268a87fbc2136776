"""The fake names its objects as git does, which git itself proves."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from fake_crm.github.objects import blob_sha

if TYPE_CHECKING:
    from pathlib import Path

    from fake_crm import FakeGitHub

FILES = {"data/a.csv": "id\n1\n", "data.csv": "x", "data-b/c/d.csv": "y\r\n", "empty.csv": ""}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_blobs_and_trees_have_gits_own_names(fake_github: FakeGitHub, tmp_path: Path) -> None:
    commit = fake_github.repository("acme/crm", FILES).commit({"data/a.csv": "id\n2\n"})
    git(tmp_path, "init", "--quiet")
    for path, text in {**FILES, "data/a.csv": "id\n2\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    git(tmp_path, "-c", "core.autocrlf=false", "add", ".")
    assert commit.tree == git(tmp_path, "write-tree")
    assert blob_sha(b"id\n2\n") == git(tmp_path, "hash-object", "data/a.csv")


def test_collecting_garbage_keeps_what_a_branch_leads_to(fake_github: FakeGitHub) -> None:
    repository = fake_github.repository("acme/crm", {"a.csv": "old", "b.csv": "kept"})
    repository.force_push({"b.csv": "kept"})
    assert blob_sha(b"old") in repository.objects.blobs
    repository.collect_garbage()
    assert {blob_sha(b"kept")} == set(repository.objects.blobs)
