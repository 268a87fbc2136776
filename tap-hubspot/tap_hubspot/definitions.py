"""The account's property definitions: what schemas are made of, and the rows of the stream `properties`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ForbiddenError
from tap_hubspot.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_hubspot.keyset import Api
    from tap_hubspot.paths import Paths

    Json = dict[str, Any]

_SENSITIVE = ("sensitive", "highly_sensitive")


class Definitions:
    """Definitions by object type as the API's paths name it; live ones are fetched once a run.

    `sensitive`: ask for the sensitive ones too, which HubSpot keeps apart (vendor page "Sensitive data"). That takes
    two more calls an object; where the key has no scope for them there are none.
    """

    def __init__(self, api: Api, paths: Paths, *, sensitive: bool = False) -> None:
        self._api = api
        self._paths = paths
        self._levels = _SENSITIVE if sensitive else ()
        self._plain: Memo[str, list[Json]] = Memo(self._listed)
        self.live: Memo[str, list[Json]] = Memo(lambda path: [*self._plain(path), *self._sensitive(path)])

    def keep(self, path: str, definitions: Iterable[Json]) -> None:
        """Take the definitions that came with a custom object's schema."""
        self._plain.keep(path, [each for each in definitions if not each.get("archived")])

    def archived(self, path: str) -> list[Json]:
        """Definitions that were archived."""
        return [*self._listed(path, archived="true"), *self._sensitive(path, archived="true")]

    def _listed(self, path: str, **params: str) -> list[Json]:
        return list(self._api.get_json(self._paths.properties(path), params)["results"])

    def _sensitive(self, path: str, **params: str) -> Iterator[Json]:
        for level in self._levels:
            try:
                yield from self._listed(path, dataSensitivity=level, **params)
            except ForbiddenError:
                return
