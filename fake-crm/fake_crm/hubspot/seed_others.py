"""Made-up records of any object type, by the types of its properties; no two of them are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.clock import iso
from fake_crm.hubspot.pipelines import Stage

if TYPE_CHECKING:
    from fake_crm.hubspot.properties import Property
    from fake_crm.hubspot.world import Store, World

_DAY = 86_400_000
STAGES = (("new", "New", "false"), ("active", "Active", "false"), ("done", "Done", "true"))


def prepared(world: World, name: str) -> Store:
    """Everything of a type, switched on and with a pipeline if it has such."""
    store = world.store(name)
    kind = store.kind
    if world.library.is_off(kind):
        world.switch_on(name)
    if kind.has_pipelines and kind.name not in world.pipelines:
        stages = [Stage(f"{kind.name}-{key}", label, {"isClosed": closed}) for key, label, closed in STAGES]
        world.add_pipeline(name, f"{kind.name}-pipeline", f"{kind.singular.capitalize()} pipeline", stages)
    return store


def values(store: Store, at: int, until: int) -> dict[str, str | None]:
    """The values of the record at this place; `until` is the latest instant, in epoch milliseconds."""
    kind = store.kind
    system = {"hs_object_id", kind.created, kind.modified, "hs_merged_object_ids", "hubspot_owner_id"}
    made = {name: _value(each, at, until) for name, each in store.properties.items() if name not in system}
    if kind.has_pipelines:
        stage = STAGES[at % len(STAGES)][0]
        made |= {"hs_pipeline": f"{kind.name}-pipeline", "hs_pipeline_stage": f"{kind.name}-{stage}"}
    return {**made, kind.title: f"{kind.singular.replace('_', ' ').capitalize()} {at}"}


def _value(definition: Property, at: int, until: int) -> str | None:
    if at % 7 == 6:  # noqa: PLR2004 - every seventh is empty
        return None
    instant = until - at * _DAY
    made = {
        "number": f"{at}.5" if definition.referenced is None else str(1000 + at),
        "bool": "true" if at % 2 else "false",
        "date": iso(instant)[:10],
        "datetime": iso(instant),
        "json": f'{{"at": {at}}}',
        "object_coordinates": f"52.{at},13.{at}",
    }
    return made.get(definition.type, f"{definition.name} {at}")
