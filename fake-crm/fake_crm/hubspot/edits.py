"""Bulk edits, as people make them in a day: some records change, some are new, some are archived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fake_crm.hubspot.properties import Property
    from fake_crm.hubspot.world import Store, World

    Json = dict[str, Any]

_PREFERRED = ("amount", "jobtitle", "numberofemployees", "hs_ticket_priority")
_ORDERS = ("edit", "create", "archive")


class Edits:
    """Makes edits in a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def make(self, order: Mapping[str, Mapping[str, int]]) -> Json:
        """`{"edit": {"contacts": 40}, "create": {"deals": 10}, "archive": {"deals": 5}}` → the ids of each.

        Archived records are the oldest ones, edited ones are spread over the rest, so the three never meet.

        Raises:
            ValueError: for an unknown order, or more edits and archivings than there are records.
        """
        unknown = order.keys() - set(_ORDERS)
        if unknown:
            raise ValueError(f"unknown order {', '.join(sorted(unknown))}; known: {', '.join(_ORDERS)}")
        with self._world.lock:
            types = list(dict.fromkeys(name for part in order.values() for name in part))
            return {
                name: self._of_type(name, {key: part.get(name, 0) for key, part in order.items()}) for name in types
            }

    def _of_type(self, name: str, order: Mapping[str, int]) -> Json:
        store = self._world.store(name)
        ids = [record.id for record in store.live.ordered()]
        archive, edit = int(order.get("archive", 0)), int(order.get("edit", 0))
        if archive + edit > len(ids):
            raise ValueError(f"{name} has {len(ids)} records, too few to edit {edit} and archive {archive}")
        gone, rest = ids[:archive], ids[archive:]
        chosen = _spread(rest, edit)
        changes = self._change_of(store)
        for at, record_id in enumerate(chosen):
            self._world.update(name, record_id, changes(at, record_id))
        made = [self._copy(store, rest, at) for at in range(int(order.get("create", 0)))]
        for record_id in gone:
            self._world.archive(name, record_id)
        return {"edited": chosen, "created": made, "archived": gone}

    def _change_of(self, store: Store) -> Callable[[int, str], dict[str, str | None]]:
        """A change of one property that is sure to be another value than before."""
        definition = _editable(store)

        def change(at: int, record_id: str) -> dict[str, str | None]:
            record = store.live.get(record_id)
            assert record is not None
            before = record.value(definition.name, store.kind)
            return {definition.name: _other(definition, before, at)}

        return change

    def _copy(self, store: Store, ids: Sequence[str], at: int) -> str:
        """A new record with the values of an old one, its title and unique values apart."""
        model = store.live.get(ids[at % len(ids)]) if ids else None
        values = dict(model.own) if model else {}
        number = store.next_number
        for each in store.properties.values():
            if each.unique and values.get(each.name):
                values[each.name] = f"new{number}-{values[each.name]}"
        title = store.kind.title
        return self._world.create(store.kind.name, {**values, title: f"New {store.kind.singular} {number}"})


def _editable(store: Store) -> Property:
    able = [
        each
        for each in store.properties.values()
        if not (each.read_only or each.calculated or each.external_options or each.unique)
        and (each.type in {"string", "number"} or each.name in _PREFERRED)
    ]
    known = {each.name: each for each in able}
    return next((known[name] for name in _PREFERRED if name in known), None) or known.get(store.kind.title) or able[0]


def _other(definition: Property, before: str | None, at: int) -> str:
    if definition.type == "number":
        return str(1000 + at if before != str(1000 + at) else at)
    if definition.options:
        return next(value for value, _ in definition.options if value != before)
    text = (before or "").removesuffix(" (edited)")
    return text if text and text != before else f"{text} (edited)"


def _spread(ids: Sequence[str], count: int) -> list[str]:
    return [ids[at * len(ids) // count] for at in range(count)] if count else []
