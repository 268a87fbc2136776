"""What an administrator changes in an account: archived definitions, switched object types, deleted custom objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.locking import locked

if TYPE_CHECKING:
    import threading

    from fake_crm.hubspot.kinds import Kinds
    from fake_crm.hubspot.library import Library
    from fake_crm.hubspot.pipelines import Pipeline
    from fake_crm.hubspot.world import Store


class Changes:
    """The administrator's part of a `World`, whose attributes these are."""

    lock: threading.RLock
    kinds: Kinds
    library: Library
    pipelines: dict[str, list[Pipeline]]
    schemas: dict[str, Any]
    stores: dict[str, Store]

    def now(self) -> int:
        """The clock's epoch milliseconds."""
        raise NotImplementedError

    def store(self, object_type: str) -> Store:
        """All of an object type."""
        raise NotImplementedError

    @locked
    def archive_property(self, object_type: str, name: str) -> None:
        """Archive a property: its definition is listed with archived=true only, its values are hidden."""
        store = self.store(object_type)
        store.archived_properties[name] = (store.properties.pop(name), self.now())

    @locked
    def switch_on(self, object_type: str) -> None:
        """Switch on an object type of the object library."""
        self.library.switch(self.kinds.find(object_type), on=True)

    @locked
    def switch_off(self, object_type: str) -> None:
        """Switch off an object type: its records, properties and pipelines cannot be read."""
        self.library.switch(self.kinds.find(object_type), on=False)

    @locked
    def archive_pipeline(self, object_type: str, pipeline_id: str, stage_id: str | None = None) -> None:
        """Archive a pipeline, or one stage of it."""
        name = self.kinds.find(object_type).name
        known = self.pipelines[name]
        at = next(at for at, each in enumerate(known) if each.id == pipeline_id)
        known[at] = known[at].archived(self.now(), stage_id)

    @locked
    def delete_object(self, name: str) -> None:
        """Delete a custom object type with its records."""
        self.kinds.remove(self.schemas.pop(name)[0])
        del self.stores[name]
