"""What an answer shows of each record: properties, their history, associations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fake_crm.hubspot.call import Call
    from fake_crm.hubspot.kinds import Kind
    from fake_crm.hubspot.records import Record
    from fake_crm.hubspot.world import Store

    Json = dict[str, Any]

MOST_INLINE_LINKS = 100  # of each type, in a list or single record


@dataclass(frozen=True)
class View:
    """Worked out once per call. Properties come by name, as in the vendor's examples."""

    call: Call
    store: Store
    names: tuple[str, ...]
    history: tuple[str, ...] = ()
    others: tuple[Kind, ...] = ()

    @classmethod
    def of(
        cls, call: Call, store: Store, names: Iterable[str], history: Iterable[str] = (), others: Iterable[str] = ()
    ) -> View:
        """Show these properties, or the default ones if none of them exists; unknown names are ignored."""
        asked = {*(_existing(store, names) or store.kind.defaults), *store.kind.always}
        kinds = tuple(map(call.world.kinds.find, others))
        return cls(call, store, tuple(sorted(asked)), _existing(store, history), kinds)

    @classmethod
    def asked(cls, call: Call, store: Store) -> View:
        """As the URL asks."""
        wishes = (call.many(name) for name in ("properties", "propertiesWithHistory", "associations"))
        return cls.of(call, store, *wishes)

    def text(self, record: Record) -> str:
        """A record as JSON; kept while it is unchanged, unless more than the record decides what is shown."""
        if self.history or self.others:
            return _dumped(self.shown(record))
        shape = (self.call.world.account.portal_id, self.names)
        kept = self.store.texts.find(shape, record)
        return kept if kept is not None else self.store.texts.keep(shape, record, _dumped(self.shown(record)))

    def shown(self, record: Record) -> Json:
        """A record as the API gives it."""
        shown = self.call.world.rendered(self.store, record, self.names)
        if self.history:
            shown["propertiesWithHistory"] = {name: self._versions(record, name) for name in self.history}
        linked = {other.name: self._links(record, other) for other in self.others}
        linked = {name: value for name, value in linked.items() if value}
        return {**shown, "associations": linked} if linked else shown

    def _versions(self, record: Record, name: str) -> list[Json]:
        return [each.rendered() for each in record.versions(name, self.store.kind)]

    def _links(self, record: Record, other: Kind) -> Json | None:
        kind, call = self.store.kind, self.call
        there = call.world.store(other.name).live
        rows = [
            {
                "id": str(b),
                "type": f"{kind.singular}_to_{other.singular}" + ("" if link.label is None else "_labelled"),
            }
            for b, types in call.world.links.of((kind.name, other.name), record.number)
            if there.get(str(b))
            for link in types
        ]
        if not rows:
            return None
        rest = rows[MOST_INLINE_LINKS:]
        more = {"paging": {"next": {"after": rest[0]["id"], "link": call.base + call.request.path}}} if rest else {}
        return {"results": rows[:MOST_INLINE_LINKS], **more}


def _existing(store: Store, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in store.properties)


def _dumped(shown: Json) -> str:
    return json.dumps(shown, separators=(",", ":"))
