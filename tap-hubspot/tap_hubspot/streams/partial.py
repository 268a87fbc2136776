"""Streams that go over all objects, of which some may be closed to the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError, ForbiddenError, NotFoundError
from crmdb_core.stream import Page
from tap_hubspot.client import HubSpotStream
from tap_hubspot.listing import BAD_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot


class AllObjectsStream(HubSpotStream):
    """One page of rows for each object; an object that refuses is left out with the others in one line.

    Then the target is not told to remove what did not come: what was read of a now closed object stays.
    """

    def __init__(self, tap: TapHubSpot, objects: Sequence[CrmObject]) -> None:
        super().__init__(tap)
        self._objects = objects
        self._refused: set[str] = set()

    def rows_of(self, crm_object: CrmObject) -> list[Any]:
        """The rows of one object; called from several threads."""
        raise NotImplementedError

    @override
    def fetch(self) -> Iterator[Page]:
        for rows in in_order(self._tried, self._objects, workers=self.config["concurrency"]):
            yield Page(rows)
        if self._refused:
            names = [each.name for each in self._objects if each.name in self._refused]
            self.logger.warning("%s: left out, for they cannot be read: %s", self.name, ", ".join(names))

    def _tried(self, crm_object: CrmObject) -> list[Any]:
        try:
            return self.rows_of(crm_object)
        except ApiError as error:
            closed = isinstance(error, ForbiddenError | NotFoundError) or error.status == BAD_REQUEST
            if not closed:
                raise
            self._refused.add(crm_object.name)
            return []

    @override
    def _complete(self) -> None:
        if self._refused:
            self._stream_version = None  # no ACTIVATE_VERSION
        super()._complete()
