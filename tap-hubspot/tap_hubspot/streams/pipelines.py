"""Pipelines and their stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_hubspot.client import HubSpotStream
from tap_hubspot.listing import list_pages
from tap_hubspot.records import deleted_at
from tap_hubspot.schema import BOOLEAN, INSTANT, KEY, TEXT, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crmdb_core.stream import Page
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

_STAGE: Schema = {
    "type": "object",
    "properties": {
        "id": KEY,
        "label": TEXT,
        "displayOrder": {"type": ["integer", "null"]},
        # free-form by design: `isClosed` and `probability` of deals, `ticketState` of tickets, all of them text
        "metadata": {"type": ["object", "null"], "additionalProperties": TEXT},
        "archived": BOOLEAN,
        "archivedAt": INSTANT,
        "createdAt": INSTANT,
        "updatedAt": INSTANT,
        "writePermissions": TEXT,
    },
}

# GET /crm/pipelines/.../{object}: the stages nested as the API gives them.
_PIPELINE: Schema = {
    "type": "object",
    "properties": {
        "id": KEY,
        "label": TEXT,
        "displayOrder": {"type": ["integer", "null"]},
        "archived": BOOLEAN,
        "archivedAt": INSTANT,
        "createdAt": INSTANT,
        "updatedAt": INSTANT,
        "stages": {"type": ["array", "null"], "items": _STAGE},
        "_sdc_deleted_at": INSTANT,
    },
    "required": ["id"],
}


class PipelinesStream(HubSpotStream):
    """The pipelines of one object type with their stages nested, as the API gives them."""

    schema: ClassVar[dict[str, Any]] = _PIPELINE

    def __init__(self, tap: TapHubSpot, name: str, object_type: str) -> None:
        super().__init__(tap, name=name)
        self.object_type = object_type

    @override
    def fetch(self) -> Iterator[Page]:
        return list_pages(self.tap.session, self.paths.pipelines(self.object_type))

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        for raw in page.rows:
            # the API leaves archivedAt out on live ones; an explicit null takes back an earlier value
            yield {"archivedAt": None, **raw, "_sdc_deleted_at": deleted_at(raw)}


_PIPELINES = (("deal_pipelines", "deals"), ("ticket_pipelines", "tickets"))


def pipeline_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """One stream for each object type that has pipelines."""
    return [PipelinesStream(tap, name, object_type) for name, object_type in _PIPELINES]
