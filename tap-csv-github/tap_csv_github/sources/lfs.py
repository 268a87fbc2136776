"""Git LFS: what stands in the tree is a pointer of three lines; the content is fetched from the store it names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from crmdb_core.exceptions import NotFoundError
from tap_csv_github.client import GitHubSession, Wanted
from tap_csv_github.exceptions import FileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_csv_github.content import Content

__all__ = ["LONGEST_POINTER", "LfsStore", "pointer_in"]

# git-lfs, docs/spec.md: keys sorted after `version`, at most 1024 bytes
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
LONGEST_POINTER = 1024
_LFS = "application/vnd.git-lfs+json"


def pointer_in(data: bytes) -> tuple[str, int] | None:
    """The SHA-256 and the size that a pointer names; None for anything else."""
    match = _POINTER.match(data) if len(data) < LONGEST_POINTER else None
    return (match[1].decode(), int(match[2])) if match else None


class LfsStore:
    """Resolves pointers by the batch API (git-lfs, docs/api/batch.md). `batch` is a session at git's own root."""

    def __init__(self, batch: Callable[[], GitHubSession], storage: Callable[[str], GitHubSession]) -> None:
        self._batch = batch
        self._storage = storage

    def resolved(self, repository: str, blob: Content, most: int | None = None) -> Content:
        """The blob itself, or in place of a pointer the content; its `sha` stays that of the blob in the tree."""
        pointer = pointer_in(blob.head(LONGEST_POINTER)) if blob.size < LONGEST_POINTER else None
        if pointer is None:
            return blob
        oid, size = pointer
        action = self._ask(repository, oid, size)
        session = self._storage(str(action["href"]))
        headers = {str(name): str(value) for name, value in (action.get("header") or {}).items()}
        parts = urlsplit(str(action["href"]))
        wanted = Wanted(sha256=oid, size=size, most=most)
        content = session.fetch_file(parts._replace(fragment="").geturl(), wanted, accept="*/*", headers=headers)
        content.sha = blob.sha
        blob.close()
        return content

    def _ask(self, repository: str, oid: str, size: int) -> dict[str, Any]:
        session = self._batch()
        order = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]}
        request = requests.Request(
            "POST",
            session.origin.url(f"{quote(repository)}.git/info/lfs/objects/batch"),
            data=json.dumps(order),
            headers={"Accept": _LFS, "Content-Type": _LFS},
        )
        answer = session.send(session.prepared(request)).json()
        found: dict[str, Any] = next(iter(answer.get("objects") or []), {})
        error = found.get("error")
        if error:
            raise NotFoundError(f"{repository}: its LFS store refused an object with code {error.get('code')}")
        try:
            action: dict[str, Any] = found["actions"]["download"]
        except KeyError:
            raise FileError(f"{repository}: its LFS store offers no download of an object") from None
        return action
