"""What every source of files is: a list of them at one moment, and their contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_csv_github.content import Content

__all__ = ["FoundFile", "Known", "Listing", "Source"]


@dataclass(frozen=True)
class FoundFile:
    """One file of a listing.

    `sha` names its content, "" where that is known only when it is read; then `stamp` changes whenever the file does.
    """

    path: str
    sha: str
    size: int | None = None
    stamp: str = ""
    updated: str = ""

    @property
    def version(self) -> str:
        """What differs as soon as the content does."""
        return self.sha or self.stamp


@dataclass(frozen=True)
class Known:
    """What earlier runs left of a source: the ETag of its head, and its files as they were then."""

    etag: str
    commit: str
    commit_time: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Listing:
    """All files of a source at one commit, by path. `etag` makes the next look free where nothing changed."""

    files: Mapping[str, FoundFile]
    commit: str = ""
    commit_time: str = ""
    etag: str = ""
    is_unchanged: bool = False


class Source(Protocol):
    """One place of files; `repository` and `ref` say where in the lineage of rows."""

    repository: str
    ref: str
    keeps_versions: bool
    """Whether an earlier version can be read by its sha."""
    is_local: bool
    """Whether reading it makes no call of the API."""

    @property
    def label(self) -> str:
        """Its name in the state and the log."""

    def listing(self, known: Known | None) -> Listing:
        """Its files now."""

    def read(self, file: FoundFile) -> Content:
        """A file, whole."""

    def sample(self, file: FoundFile, most: int) -> Content:
        """A file if it is small, else its first bytes."""

    def earlier(self, sha: str) -> Content | None:
        """An earlier version; None if it is gone."""
