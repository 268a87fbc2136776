"""The org's objects: one list of all, and their descriptions 25 a call, side by side, only where they changed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tap_salesforce.cache import Kept
from tap_salesforce.objects import SObject, lean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crmdb_core.exceptions import ApiError
    from tap_salesforce.cache import Cache
    from tap_salesforce.composite import Answer, Composite
    from tap_salesforce.paths import Paths

__all__ = ["Describes"]

_NOT_MODIFIED = 304
_MODIFIED_SINCE, _LAST_MODIFIED = "If-Modified-Since", "Last-Modified"


class Describes:
    """What the org says of its objects; each is asked for once a run. `refused` says why some could not be had."""

    def __init__(self, composite: Composite, paths: Paths, cache: Cache) -> None:
        self._composite = composite
        self._paths = paths
        self._cache = cache
        self._known: dict[str, SObject] = {}
        self._lock = threading.Lock()
        self.refused: dict[str, ApiError] = {}

    def listed(self) -> list[SObject]:
        """All objects that the user may see, without their fields; raises the refusal of the list."""
        path = self._paths.sobjects
        found = self._bodies([path])[path]
        if not isinstance(found, dict):
            raise found
        return [SObject.of(each) for each in found["sobjects"]]

    def of(self, names: Iterable[str]) -> dict[str, SObject]:
        """Objects with their fields, by name; those that are refused are in `refused` instead."""
        wanted = list(names)
        with self._lock:
            self._ask([name for name in wanted if name not in self._known and name not in self.refused])
            return {name: self._known[name] for name in wanted if name in self._known}

    def one(self, name: str) -> SObject:
        """One object with its fields; raises its refusal."""
        found = self.of([name]).get(name)
        if found is None:
            raise self.refused[name]
        return found

    def _ask(self, names: Sequence[str]) -> None:
        paths = {self._paths.describe(name): name for name in names}
        for path, found in self._bodies(list(paths)).items():
            if isinstance(found, dict):
                self._known[paths[path]] = SObject.of(found)
            else:
                self.refused[paths[path]] = found

    def _bodies(self, paths: Sequence[str]) -> dict[str, dict[str, Any] | ApiError]:
        """The body for each path, from the cache where the API says that it is still true; or the refusal."""
        if not paths:
            return {}
        kept = self._cache.find(paths)
        since = [{_MODIFIED_SINCE: kept[path].modified} if path in kept else {} for path in paths]
        answers = dict(zip(paths, self._composite.get(paths, since), strict=True))
        self._cache.keep(
            {path: Kept(_modified(each), lean(each.body)) for path, each in answers.items() if _keeps(each)}
        )
        return {path: _body(answer, kept) for path, answer in answers.items()}


def _modified(answer: Answer) -> str:
    return answer.headers.get(_LAST_MODIFIED, "")


def _keeps(answer: Answer) -> bool:
    return answer.ok and bool(_modified(answer))


def _body(answer: Answer, kept: Mapping[str, Kept]) -> dict[str, Any] | ApiError:
    if answer.status == _NOT_MODIFIED:
        body: dict[str, Any] = kept[answer.url].body
        return body
    return answer.body if answer.ok else answer.error()
