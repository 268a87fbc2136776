"""The canonical model's file, and what a user's mapping adds to it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from target_crmdb.mapping.canonical import FIXED, ROW, CanonicalField, Entity, Model
from target_crmdb.mapping.names import snake_case
from target_crmdb.mapping.placed import Faults, Item, suggestion
from target_crmdb.validation.fields import COLUMN_TYPES

_OF_AN_ENTITY = frozenset({"description", "fields"})
_OF_A_FIELD = frozenset({"type", "description", "refers", "index"})


class Entries:
    """The entries of one mapping in a file; what is wrong with them is noted when they are asked for."""

    def __init__(self, item: Item, place: str, faults: Faults, *, known: Collection[str] | None = None) -> None:
        self._item = item
        self._place = place
        self._faults = faults
        if not isinstance(item.value, dict):
            faults.add(item, place, "must be a mapping of names to values")
        elif known is not None:
            for name in item.value.keys() - known:
                faults.add(item.value[name], self.inner(name), f"is unknown; {suggestion(name, known)}")

    def inner(self, name: str) -> str:
        """Give the place of an entry."""
        return f"{self._place}.{name}" if self._place else name

    def items(self) -> list[tuple[str, Item]]:
        """List the entries in the order of the file."""
        return list(self._item.children.items())

    def sub(self, name: str, known: Collection[str] | None = None) -> "Entries":
        """Give an entry that is a mapping itself; an empty one, if it is not there."""
        return Entries(self._item.children.get(name, Item({})), self.inner(name), self._faults, known=known)

    def text(self, name: str) -> str | None:
        """Give an entry that is a text, if it is there."""
        item = self._item.children.get(name)
        if item is None or item.value is None:
            return None
        if not isinstance(item.value, str) or not item.value:
            self._faults.add(item, self.inner(name), "must be a text")
            return None
        return item.value

    def one_of(self, name: str, known: Iterable[str]) -> str | None:
        """Give an entry that must be one of some words."""
        value, words = self.text(name), list(known)
        if value is not None and value not in words:
            self._faults.add(self._item.children[name], self.inner(name), f"{value} is unknown; "
                             f"{suggestion(value, words)}")  # fmt: skip
            return None
        return value

    def flag(self, name: str) -> bool:
        """Give an entry that is true or false; false, if it is not there."""
        item = self._item.children.get(name, Item(value=False))
        if not isinstance(item.value, bool):
            self._faults.add(item, self.inner(name), "must be true or false")
        return item.value is True


def read_model(item: Item, faults: Faults) -> Model:
    """Read all entities."""
    return apply_model(Model({}), item, faults)


def apply_model(model: Model, item: Item, faults: Faults) -> Model:
    """Add entities and fields to a model; a field that is there already keeps its type, since others map to it."""
    entities = dict(model.entities)
    names = [*entities, *item.children]
    for name, one in Entries(item, "model", faults).items():
        entries = Entries(one, f"model.{name}", faults, known=_OF_AN_ENTITY)
        old = entities.get(name) or Entity(name, "", {})
        _check_name(name, one, f"model.{name}", faults)
        fields = _fields(old.fields, entries, names, faults)
        entities[name] = Entity(name, entries.text("description") or old.description, fields)
    return Model(entities)


def _fields(
    old: Mapping[str, CanonicalField], entries: Entries, entities: Collection[str], faults: Faults
) -> dict[str, CanonicalField]:
    fields = dict(old)
    for name, item in entries.sub("fields").items():
        place = f"{entries.inner('fields')}.{name}"
        read = _field(name, Entries(item, place, faults, known=_OF_A_FIELD), entities)
        _check_name(name, item, place, faults)
        if name in {*FIXED, ROW}:
            faults.add(item, place, "is a column that every view has; choose another name")
        elif name in old and read.type != old[name].type:
            faults.add(item, place, f"is {old[name].type} already; choose another name")
        fields[name] = read
    return fields


def _field(name: str, entries: Entries, entities: Collection[str]) -> CanonicalField:
    return CanonicalField(
        name=name,
        type=entries.one_of("type", COLUMN_TYPES) or "text",
        description=entries.text("description") or "",
        refers=entries.one_of("refers", entities),
        is_index=entries.flag("index"),
    )


def _check_name(name: str, item: Any, place: str, faults: Faults) -> None:
    if snake_case(name) != name:
        faults.add(item, place, f"is no name of a column; write {snake_case(name)}")
