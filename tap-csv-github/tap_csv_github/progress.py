"""What a stream's state says of its files: small, whatever the files hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_csv_github.sources.source import Source

__all__ = ["FileState", "Progress"]


@dataclass
class FileState:
    """How far the rows of one file have gone out.

    `sha` is the version whose rows are all out, "" if none is. `older` are versions of which rows may be out beside
    that. `rows` and `rejects` are the highest numbers given out. `partial` is a version and how many of its rows were
    read when the state was written.
    """

    sha: str = ""
    stamp: str = ""
    rows: int = 0
    rejects: int = 0
    older: list[str] = field(default_factory=list)
    partial: tuple[str, int] | None = None

    @classmethod
    def of(cls, saved: Any) -> FileState:
        """The state as it was written; what is not of this form is dropped, so the file is read again."""
        if not isinstance(saved, dict):
            return cls()
        partial = saved.get("partial")
        is_pair = isinstance(partial, list) and len(partial) == 2  # noqa: PLR2004 - a pair
        return cls(
            sha=str(saved.get("sha") or ""),
            stamp=str(saved.get("stamp") or ""),
            rows=_count(saved.get("rows")),
            rejects=_count(saved.get("rejects")),
            older=[str(each) for each in saved.get("older") or ()],
            partial=(str(partial[0]), _count(partial[1])) if is_pair and partial else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The state as it is written: what says nothing is left out."""
        told: dict[str, Any] = {"sha": self.sha, "stamp": self.stamp, "rows": self.rows, "rejects": self.rejects}
        told |= {"older": self.older, "partial": list(self.partial) if self.partial else None}
        return {name: value for name, value in told.items() if value}

    def version_of(self, source: Source) -> str:
        """By what a listing of its source names the version that is out."""
        return self.sha if source.keeps_versions else self.stamp

    @property
    def is_settled(self) -> bool:
        """Whether the rows of `sha` are out, and none of any other version."""
        return bool(self.sha) and not self.older and self.partial is None

    def versions(self, but: str = "") -> list[str]:
        """Every version of which rows may be out, except the one that is being read."""
        return [each for each in dict.fromkeys([self.sha, *self.older]) if each and each != but]

    def begin(self, sha: str) -> int:
        """Say that rows of a version go out from now on; how many of them an interrupted run had read."""
        done = self.partial[1] if self.partial and self.partial[0] == sha else 0
        self.older = [*self.versions(sha), sha] if self.sha != sha else self.versions(sha)
        self.partial = (sha, done)
        return done

    def finish(self, sha: str, stamp: str) -> None:
        """Say that all rows of a version are out; earlier ones stay noted until what vanished is told."""
        self.older = self.versions(sha)
        self.sha, self.stamp, self.partial = sha, stamp, None


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0


class Progress:
    """The files of one stream by source and path, and `saved`, the part of the state that is kept in step with them."""

    def __init__(self, saved: dict[str, Any] | None = None) -> None:
        self.saved: dict[str, Any] = saved if saved is not None else {}
        self._files: dict[tuple[str, str], FileState] = {}
        for label, paths in self.saved.items():
            for path, state in (paths if isinstance(paths, dict) else {}).items():
                self._files[label, path] = FileState.of(state)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever read."""
        return not self._files

    def of(self, label: str, path: str) -> FileState:
        """The state of one file, which may be a new one."""
        return self._files.setdefault((label, path), FileState())

    def known(self, label: str, path: str) -> FileState | None:
        """The state of a file that was met before."""
        return self._files.get((label, path))

    def all(self) -> list[tuple[str, str, FileState]]:
        """Every file."""
        return [(label, path, state) for (label, path), state in self._files.items()]

    def save(self, label: str, path: str) -> None:
        """Bring the state in step with one file."""
        if not isinstance(self.saved.get(label), dict):
            self.saved[label] = {}
        paths = self.saved[label]
        paths[path] = self._files[label, path].to_json()

    def move(self, label: str, old: str, new: str) -> None:
        """A file has another path."""
        self._files[label, new] = self._files.pop((label, old))
        self.saved.get(label, {}).pop(old, None)
        self.save(label, new)

    def forget(self, label: str, path: str) -> None:
        """A file is gone, and so are its rows."""
        self._files.pop((label, path), None)
        self.saved.get(label, {}).pop(path, None)
