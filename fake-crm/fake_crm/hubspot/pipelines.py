"""Pipelines and their stages (vendor page "Pipelines")."""

from __future__ import annotations

from dataclasses import dataclass
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
            "archived": False,
        }


@dataclass(frozen=True)
class Pipeline:
    """One pipeline of an object type."""

    id: str
    label: str
    stages: tuple[Stage, ...]
    stamp: int

    def rendered(self, order: int = 0) -> dict[str, Any]:
        """The pipeline as the API gives it."""
        return {
            "label": self.label,
            "displayOrder": order,
            "id": self.id,
            "archived": False,
            "stages": [stage.rendered(at, self.stamp) for at, stage in enumerate(self.stages)],
            "createdAt": iso(self.stamp),
            "updatedAt": iso(self.stamp),
        }


def list_all(call: Call) -> Reply:
    """GET pipelines of a type, in one page; vendor page "Pipelines"."""
    pipelines = call.world.pipelines.get(call.kind().name, [])
    return Reply.of({"results": [each.rendered(at) for at, each in enumerate(pipelines)]})


def one(call: Call) -> Reply:
    """GET one pipeline."""
    return Reply.of(_find(call).rendered())


def stages(call: Call) -> Reply:
    """GET the stages of a pipeline."""
    return Reply.of({"results": _find(call).rendered()["stages"]})


def _find(call: Call) -> Pipeline:
    for pipeline in call.world.pipelines.get(call.kind().name, []):
        if pipeline.id == call.path["id"]:
            return pipeline
    raise not_found(f"no pipeline {call.path['id']}")
