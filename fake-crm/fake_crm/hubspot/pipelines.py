"""Pipelines and their stages (vendor page "Pipelines")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot.errors import not_found
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.hubspot.call import Call


@dataclass(frozen=True)
class Stage:
    """One stage; `metadata` holds isClosed and probability (deals) or ticketState (tickets), as text."""

    id: str
    label: str
    metadata: Mapping[str, str]
    archived_at: int | None = None

    @property
    def is_closed(self) -> bool:
        """Whether records in this stage are done."""
        return self.metadata.get("isClosed") == "true" or self.metadata.get("ticketState") == "CLOSED"

    def rendered(self, order: int, stamp: int) -> dict[str, Any]:
        """The stage as the API gives it."""
        return {
            "label": self.label,
            "displayOrder": order,
            "metadata": dict(self.metadata),
            "id": self.id,
            "createdAt": iso(stamp),
            "updatedAt": iso(stamp),
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            **_archived(self.archived_at),
        }


@dataclass(frozen=True)
class Pipeline:
    """One pipeline of an object type."""

    id: str
    label: str
    stages: tuple[Stage, ...]
    stamp: int
    archived_at: int | None = None

    def archived(self, now: int, stage_id: str | None) -> Pipeline:
        """This pipeline as an archived one, or with one stage archived."""
        if stage_id is None:
            return replace(self, archived_at=now)
        stages = (replace(each, archived_at=now) if each.id == stage_id else each for each in self.stages)
        return replace(self, stages=tuple(stages))

    def without_archived(self) -> Pipeline:
        """This pipeline with its live stages only."""
        return replace(self, stages=tuple(each for each in self.stages if each.archived_at is None))

    def rendered(self, order: int = 0) -> dict[str, Any]:
        """The pipeline as the API gives it."""
        return {
            "label": self.label,
            "displayOrder": order,
            "id": self.id,
            **_archived(self.archived_at),
            "stages": [stage.rendered(at, self.stamp) for at, stage in enumerate(self.stages)],
            "createdAt": iso(self.stamp),
            "updatedAt": iso(self.stamp),
        }


def list_all(call: Call) -> Reply:
    """GET pipelines of a type, in one page; vendor page "Pipelines"."""
    return Reply.of({"results": [each.rendered(at) for at, each in enumerate(_listed(call))]})


def one(call: Call) -> Reply:
    """GET one pipeline."""
    return Reply.of(_find(call).rendered())


def stages(call: Call) -> Reply:
    """GET the stages of a pipeline."""
    return Reply.of({"results": _find(call).rendered()["stages"]})


def archive(call: Call) -> Reply:
    """DELETE a pipeline."""
    call.world.archive_pipeline(call.kind().name, _find(call).id)
    return Reply(204)


def archive_stage(call: Call) -> Reply:
    """DELETE a stage of a pipeline."""
    pipeline = _find(call)
    if call.path["stage"] not in {each.id for each in pipeline.stages}:
        raise not_found(f"no stage {call.path['stage']}")
    call.world.archive_pipeline(call.kind().name, pipeline.id, call.path["stage"])
    return Reply(204)


def _archived(archived_at: int | None) -> dict[str, Any]:
    return {"archived": False} if archived_at is None else {"archived": True, "archivedAt": iso(archived_at)}


def _listed(call: Call) -> list[Pipeline]:
    """What the API still shows: there is no `archived` parameter (the vendor's OpenAPI specification)."""
    known = call.world.pipelines.get(call.kind().name, [])
    if call.quirks.archived_pipelines:
        return known
    return [each.without_archived() for each in known if each.archived_at is None]


def _find(call: Call) -> Pipeline:
    for pipeline in _listed(call):
        if pipeline.id == call.path["id"]:
            return pipeline
    raise not_found(f"no pipeline {call.path['id']}")
