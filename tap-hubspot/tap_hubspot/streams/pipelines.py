"""Pipelines and their stages, of every object that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.stream import Page
from tap_hubspot.casting import MisfitError, to_boolean, to_number
from tap_hubspot.client import HubSpotStream
from tap_hubspot.listing import listed
from tap_hubspot.memo import Memo
from tap_hubspot.records import deleted_at
from tap_hubspot.schema import BOOLEAN, INSTANT, KEY, NUMBER, TEXT, Schema
from tap_hubspot.streams.partial import AllObjectsStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

# What a stage has, nested in its pipeline or as a row. `metadata` is free-form by design: `isClosed` and `probability`
# of deals, `ticketState` of tickets, `leadState` of leads, all of them text.
_STAGE_FIELDS: dict[str, Schema] = {
    "label": TEXT,
    "displayOrder": {"type": ["integer", "null"]},
    "metadata": {"type": ["object", "null"], "additionalProperties": TEXT},
    "archived": BOOLEAN,
    "archivedAt": INSTANT,
    "createdAt": INSTANT,
    "updatedAt": INSTANT,
    "writePermissions": TEXT,
}
_STAGE: Schema = {"type": "object", "properties": {"id": KEY, **_STAGE_FIELDS}}

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
_STAGE_ROW: Schema = {
    "type": "object",
    "properties": {
        "object_type": KEY,
        "object_type_id": TEXT,
        "pipeline_id": KEY,
        "pipeline_label": TEXT,
        "id": KEY,
        **_STAGE_FIELDS,
        "isClosed": BOOLEAN,
        "probability": NUMBER,
        "ticketState": TEXT,
        "leadState": TEXT,
        "_sdc_deleted_at": INSTANT,
    },
    "required": ["object_type", "pipeline_id", "id"],
}


class PipelinesStream(HubSpotStream):
    """The pipelines of one object type with their stages nested, as the API gives them."""

    schema: ClassVar[dict[str, Any]] = _PIPELINE

    def __init__(self, tap: TapHubSpot, name: str, path: str, pipelines: Memo[str, list[Record]]) -> None:
        super().__init__(tap, name=name)
        self._path = path
        self._pipelines = pipelines

    @override
    def fetch(self) -> Iterator[Page]:
        yield Page(self._pipelines(self._path))

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        for raw in page.rows:
            # the API leaves archivedAt out on live ones; an explicit null takes back an earlier value
            yield {"archivedAt": None, **raw, "_sdc_deleted_at": deleted_at(raw)}


class StagesStream(AllObjectsStream):
    """The stages of all pipelines, one row each. A stage id is unique within its pipeline only."""

    name = "pipeline_stages"
    primary_keys = ("object_type", "pipeline_id", "id")
    schema: ClassVar[dict[str, Any]] = _STAGE_ROW

    def __init__(self, tap: TapHubSpot, objects: Sequence[CrmObject], pipelines: Memo[str, list[Record]]) -> None:
        super().__init__(tap, objects)
        self._pipelines = pipelines

    @override
    def rows_of(self, crm_object: CrmObject) -> list[Any]:
        owner = {"object_type": crm_object.name, "object_type_id": crm_object.type_id}
        return [
            _stage(owner, pipeline, stage)
            for pipeline in self._pipelines(crm_object.path)
            for stage in pipeline.get("stages") or ()
        ]


def _stage(owner: Record, pipeline: Record, raw: Record) -> Record:
    """A stage with what its metadata says in columns; it is gone when it or its pipeline was archived."""
    metadata = raw.get("metadata") or {}
    return {
        **owner,
        "pipeline_id": str(pipeline["id"]),
        "pipeline_label": pipeline.get("label"),
        "id": str(raw["id"]),
        **{name: raw.get(name) for name in _STAGE_FIELDS},
        "isClosed": _cast(to_boolean, metadata.get("isClosed")),
        "probability": _cast(to_number, metadata.get("probability")),
        "ticketState": metadata.get("ticketState"),
        "leadState": metadata.get("leadState"),
        "_sdc_deleted_at": deleted_at(raw) or deleted_at(pipeline),
    }


def _cast(cast: Callable[[str], object], value: object) -> object:
    try:
        return None if value is None else cast(str(value).strip())
    except MisfitError:
        return None


def pipeline_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """A stream for each open object type that has pipelines, and one for all their stages.

    Their pipelines are fetched once a run. The API lists no archived pipelines and has no parameter for them (the
    vendor's OpenAPI specification): what is archived does not come again, and so is removed at the end of the stream.
    """
    pipelines: Memo[str, list[Record]] = Memo(lambda path: list(listed(tap.session, tap.paths.pipelines(path))))
    objects = [each for each in tap.found.objects if each.pipelines is not None]
    for each in objects:
        if each.pipelines is not None and tap.is_known(each.pipelines):
            yield PipelinesStream(tap, each.pipelines, each.path, pipelines)
    if tap.is_known(StagesStream.name):
        yield StagesStream(tap, objects, pipelines)
