"""A repository at a branch, tag or commit: one snapshot by one commit, its tree, its blobs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crmdb_core.exceptions import ApiError, ForbiddenError, NotFoundError
from tap_csv_github.client import Wanted
from tap_csv_github.exceptions import FileError
from tap_csv_github.sources.source import FoundFile, Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_csv_github.client import GitHubSession
    from tap_csv_github.content import Content
    from tap_csv_github.sources.lfs import LfsStore
    from tap_csv_github.sources.source import Known

__all__ = ["RepositorySource"]

logger = logging.getLogger(__name__)

_FILES = frozenset({"100644", "100755"})
_CONFLICT = 409
_SMALL = 1024 * 1024
_TOO_LARGE = "blobs up to 100 MB"
"""What GitHub's 403 for such a blob says (unverified; else it is told as a missing permission)."""


class RepositorySource:
    """The files of `owner/name` at a ref; without one at the head of the default branch.

    `HEAD` in place of a ref is unverified in the description of the API (git and GitHub take it); `ref` changes it.
    """

    keeps_versions = True
    is_local = False

    def __init__(self, session: GitHubSession, lfs: LfsStore, repository: str, ref: str | None) -> None:
        self._session = session
        self._lfs = lfs
        self._root = f"repos/{quote(repository)}"
        self.repository = repository
        self.ref = ref or "HEAD"

    @property
    def label(self) -> str:
        """Repository and ref."""
        return f"{self.repository}@{self.ref}"

    def listing(self, known: Known | None) -> Listing:
        """One call if nothing changed (free, by its ETag); two else, more only where GitHub cuts the tree short."""
        path = f"{self._root}/commits/{quote(self.ref, safe='')}"
        try:
            head, etag = self._session.get_unless(known.etag if known else "", path, {"per_page": 1})
        except ApiError as error:
            if error.status == _CONFLICT:  # "Git Repository is empty."
                return Listing({})
            raise
        if head is None and known is not None:
            files = {each: FoundFile(each, sha) for each, sha in known.files.items()}
            return Listing(files, known.commit, known.commit_time, etag, is_unchanged=True)
        time = str(head["commit"]["committer"]["date"])
        entries = self._entries(str(head["commit"]["tree"]["sha"]))
        return Listing({each.path: each for each in entries}, str(head["sha"]), time, etag)

    def _entries(self, tree: str) -> Iterator[FoundFile]:
        """All files of a tree; one that GitHub cuts (100,000 entries or 7 MB) is walked folder by folder."""
        answer = self._session.get_json(f"{self._root}/git/trees/{tree}", {"recursive": 1})
        if not answer.get("truncated"):
            yield from _files(answer["tree"])
            return
        logger.info("%s: its tree is too long for one answer and is read folder by folder", self.label)
        yield from self._walked(tree, "")

    def _walked(self, tree: str, prefix: str) -> Iterator[FoundFile]:
        answer = self._session.get_json(f"{self._root}/git/trees/{tree}")
        if answer.get("truncated"):
            raise ApiError(f"{self.label}: the folder {prefix or '/'} has more entries than GitHub lists; split it up")
        yield from _files(answer["tree"], prefix)
        for entry in answer["tree"]:
            if entry["type"] == "tree":
                yield from self._below(str(entry["sha"]), f"{prefix}{entry['path']}/")

    def _below(self, tree: str, prefix: str) -> Iterator[FoundFile]:
        answer = self._session.get_json(f"{self._root}/git/trees/{tree}", {"recursive": 1})
        if answer.get("truncated"):
            yield from self._walked(tree, prefix)
        else:
            yield from _files(answer["tree"], prefix)

    def read(self, file: FoundFile) -> Content:
        """Its blob, or what the LFS pointer in it stands for."""
        return self._lfs.resolved(self.repository, self._blob(file.sha, file.size))

    def sample(self, file: FoundFile, most: int) -> Content:
        """As `read`, but not more than the first bytes of a large one."""
        if file.size is not None and file.size <= _SMALL:
            blob = self._blob(file.sha, file.size)
        else:
            blob = self._fetched(Wanted(sha=file.sha, most=most))
        return self._lfs.resolved(self.repository, blob, most)

    def earlier(self, sha: str) -> Content | None:
        """A blob that is in the tree no longer; GitHub keeps it until it is collected after a force push."""
        try:
            return self._lfs.resolved(self.repository, self._blob(sha, None))
        except NotFoundError:
            return None

    def _blob(self, sha: str, size: int | None) -> Content:
        return self._fetched(Wanted(sha=sha, size=size))

    def _fetched(self, wanted: Wanted) -> Content:
        try:
            return self._session.fetch_file(f"{self._root}/git/blobs/{wanted.sha}", wanted)
        except ForbiddenError as error:
            if error.response is not None and _TOO_LARGE in error.response.text[:2000]:
                raise FileError("is larger than GitHub gives (100 MB); keep it in Git LFS or in a release") from None
            raise


def _files(entries: list[dict[str, Any]], prefix: str = "") -> Iterator[FoundFile]:
    """What is a file: no folder, no symbolic link (it has a path instead of rows), no submodule."""
    for entry in entries:
        if entry["type"] == "blob" and entry["mode"] in _FILES:
            yield FoundFile(prefix + entry["path"], str(entry["sha"]), int(entry["size"]))
