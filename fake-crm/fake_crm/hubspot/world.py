"""The account's data, and the door through which tests write it. The HTTP door writes through here as well."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.clock import iso, millis_of, real_instant
from fake_crm.hubspot.account import Account
from fake_crm.hubspot.catalog import standard
from fake_crm.hubspot.changes import Changes
from fake_crm.hubspot.kinds import Kind, Kinds
from fake_crm.hubspot.library import Library
from fake_crm.hubspot.links import Links
from fake_crm.hubspot.locking import locked
from fake_crm.hubspot.marketing_world import Marketing
from fake_crm.hubspot.owners import Owner
from fake_crm.hubspot.people import People, User
from fake_crm.hubspot.pipelines import Pipeline, Stage
from fake_crm.hubspot.properties import Property
from fake_crm.hubspot.records import NOTHING, Index, Record, Shelf, Version
from fake_crm.hubspot.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from fake_crm.clock import Clock
    from fake_crm.hubspot.quirks import Quirks

_FIRST_NUMBER = 91  # ids soon get another digit, and ids of two types overlap: both trip careless readers
_FIRST_OWNER = 41_629_001


@dataclass
class Store:
    """Everything of one object type."""

    kind: Kind
    properties: dict[str, Property]
    archived_properties: dict[str, tuple[Property, int]] = field(default_factory=dict)
    texts: Texts = field(default_factory=Texts)
    live: Shelf = field(default_factory=Shelf)
    archived: Shelf = field(default_factory=Shelf)
    index: Index = field(default_factory=Index)
    next_number: int = _FIRST_NUMBER


class World(Changes, Marketing):
    """One HubSpot account. Types are given by name or id, ids as text, instants as ISO text or datetimes."""

    def __init__(self, clock: Clock, quirks: Quirks, account: Account | None = None) -> None:
        super().__init__()
        self.clock = clock
        self.quirks = quirks
        self.account = account or Account()
        self.lock = threading.RLock()
        self.kinds = Kinds()
        self.owners: dict[int, Owner] = {}
        self.pipelines: dict[str, list[Pipeline]] = {}
        self.links = Links()
        self.library = Library()
        self.people = People()
        self.schemas: dict[str, Any] = {}
        self._next_type = 1_000_001
        self.stores: dict[str, Store] = {}

    @override
    def now(self) -> int:
        """The clock's epoch milliseconds."""
        return self.clock.millis()

    @override
    def store(self, object_type: str) -> Store:
        """All of an object type, made at its first use."""
        kind = self.kinds.find(object_type)
        if kind.name not in self.stores:
            self.stores[kind.name] = Store(kind, standard(kind))
        return self.stores[kind.name]

    # -- reading, for tests: the truth, without lag, limits or pages ------------------------------------------------

    @locked
    def records(self, object_type: str) -> list[dict[str, Any]]:
        """Live records by ascending id, as the API gives them, with all their properties."""
        store = self.store(object_type)
        return [self.rendered(store, record, tuple(store.properties)) for record in store.live.ordered()]

    @locked
    def archived(self, object_type: str) -> list[dict[str, Any]]:
        """Records in the recycle bin, like `records`."""
        store = self.store(object_type)
        return [self.rendered(store, record, tuple(store.properties)) for record in store.archived.ordered()]

    @locked
    def record(self, object_type: str, record_id: str) -> dict[str, Any]:
        """One live record; KeyError if there is none."""
        store = self.store(object_type)
        return self.rendered(store, self._live(store, record_id), tuple(store.properties))

    @locked
    def counts(self) -> dict[str, dict[str, int]]:
        """Live and archived records per type."""
        return {name: {"live": len(each.live), "archived": len(each.archived)} for name, each in self.stores.items()}

    @locked
    def ids(self) -> dict[str, list[str]]:
        """The ids of live records per type, ascending."""
        return {name: [record.id for record in each.live.ordered()] for name, each in self.stores.items()}

    def rendered(self, store: Store, record: Record, names: Iterable[str]) -> dict[str, Any]:
        """A record with the named properties, which must exist."""
        kind = store.kind
        gone = record.archived_at is not None
        shown = {
            "id": str(record.number),
            "properties": {name: record.value(name, kind) for name in names},
            "createdAt": iso(record.created),
            "updatedAt": iso(record.updated),
            "archived": gone,
            "url": f"https://app.hubspot.com/contacts/{self.account.portal_id}/record/{kind.type_id}/{record.number}",
        }
        return {**shown, "archivedAt": iso(record.archived_at)} if record.archived_at is not None else shown

    # -- writing ------------------------------------------------------------------------------------------------------

    @locked
    def create(self, object_type: str, properties: Mapping[str, str | None]) -> str:
        """Make a record and return its id. Values may break their type's rules, as old data does; names must exist."""
        now = self.now()
        return self.put(object_type, properties, created=now, updated=now)

    @locked
    def put(
        self,
        object_type: str,
        own: Mapping[str, str | None],
        *,
        created: int,
        updated: int,
        common: Mapping[str, str | None] | None = None,
    ) -> str:
        """Make a record with given stamps (epoch milliseconds)."""
        store = self.store(object_type)
        self._check_names(store, own)
        record = Record(store.next_number, created, updated, dict(own), common or NOTHING)
        store.next_number += 1
        self._keep(store, record)
        return record.id

    @locked
    def update(
        self, object_type: str, record_id: str, properties: Mapping[str, str | None], *, user: int | None = None
    ) -> None:
        """Change properties, by hand of a user if one is given; the modified date moves."""
        store = self.store(object_type)
        self._check_names(store, properties)
        self._keep(store, self._changed(store, self._live(store, record_id), properties, user))

    @locked
    def recalculate(self, object_type: str, record_id: str, properties: Mapping[str, str | None]) -> None:
        """Change calculated properties: their inputs lie elsewhere, so no modified date moves (observed)."""
        store = self.store(object_type)
        self._check_names(store, properties)
        record = self._live(store, record_id)
        self._keep(store, replace(self._changed(store, record, properties), updated=record.updated))

    @locked
    def archive(self, object_type: str, record_id: str) -> None:
        """Put a record into the recycle bin; its modified date stays (observed on the live API)."""
        store = self.store(object_type)
        record = self._live(store, record_id)
        store.live.drop(record.number)
        store.archived.put(replace(record, archived_at=self.now()))
        self._note(store, record.number, None)

    @locked
    def restore(self, object_type: str, record_id: str) -> None:
        """Take a record out of the recycle bin. Unverified: that this moves the modified date, as it does here."""
        store = self.store(object_type)
        record = store.archived.get(record_id)
        if record is None:
            raise KeyError(f"{store.kind.name} {record_id} is not archived")
        store.archived.drop(record.number)
        self._keep(store, replace(record, archived_at=None, updated=self.now()))

    @locked
    def purge(self, object_type: str, record_id: str) -> None:
        """Delete a record for good, as a GDPR deletion does: it is in no list afterwards."""
        store = self.store(object_type)
        number = int(record_id)
        store.live.drop(number)
        store.archived.drop(number)
        self._note(store, number, None)

    @locked
    def merge(self, object_type: str, winner: str, loser: str) -> None:
        """Merge: the loser is gone from the live records and not in the bin, the winner names it."""
        store = self.store(object_type)
        kept, lost = self._live(store, winner), self._live(store, loser)
        if kept.number == lost.number:
            raise KeyError("a record cannot be merged with itself")
        # unverified: that hs_merged_object_ids exists on every object type
        before = [kept.value("hs_merged_object_ids", store.kind), lost.value("hs_merged_object_ids", store.kind)]
        changes = {"hs_merged_object_ids": ";".join(filter(None, [*before, loser]))}
        if store.kind.name == "contacts":
            earlier = kept.value("hs_calculated_merged_vids", store.kind)
            changes["hs_calculated_merged_vids"] = ";".join(filter(None, [earlier, f"{loser}:{self.now()}"]))
        store.live.drop(lost.number)
        self._note(store, lost.number, None)
        self.links.move(store.kind.name, lost.number, kept.number)
        self._keep(store, self._changed(store, kept, changes))

    @locked
    def bulk_stamp(self, object_type: str, ids: Iterable[str], instant: datetime | str | None = None) -> None:
        """Give records one identical modified time, as HubSpot's own month-end batches do; default is now."""
        store = self.store(object_type)
        stamp = self.now() if instant is None else millis_of(real_instant(instant))
        for record_id in ids:
            self._keep(store, replace(self._live(store, record_id), updated=stamp))

    @locked
    def associate(
        self,
        from_type: str,
        from_id: str,
        to_type: str,
        to_id: str,
        *,
        type_ids: Iterable[int] = (),
        primary: bool = False,
    ) -> None:
        """Associate two records; no modified date moves (observed on the live API)."""
        source, target = self.store(from_type), self.store(to_type)
        a, b = self._live(source, from_id).number, self._live(target, to_id).number
        pair = (source.kind.name, target.kind.name)
        extra = tuple(each.type_id for each in self.links.types(pair) if primary and each.label == "Primary")
        self.links.add(pair, a, b, (*type_ids, *extra))

    def linked_kind(self, from_type: str, type_ids: Iterable[int]) -> str:
        """The object type that association types of `from_type` lead to; KeyError if none does."""
        return self.links.target(self.kinds.find(from_type).name, set(type_ids))

    @locked
    def dissociate(self, from_type: str, from_id: str, to_type: str, to_id: str) -> None:
        """End all associations of two records."""
        pair = (self.kinds.find(from_type).name, self.kinds.find(to_type).name)
        self.links.remove(pair, int(from_id), int(to_id))

    @locked
    def add_property(self, object_type: str, definition: Property | str, kind: str = "string", **more: Any) -> None:
        """Add a property: a definition, or the name and type of a custom one."""
        made = Property(definition, kind, hubspot_defined=False, **more) if isinstance(definition, str) else definition
        store = self.store(object_type)
        store.properties[made.name] = made
        store.archived_properties.pop(made.name, None)

    @locked
    def remove_property(self, object_type: str, name: str) -> None:
        """Take a property away; its values stay hidden in the records."""
        del self.store(object_type).properties[name]

    @locked
    def add_owner(
        self, first_name: str, last_name: str, email: str, *, archived: bool = False, team: str | None = None
    ) -> str:
        """Add an owner and return the id, the value for `hubspot_owner_id`."""
        number = _FIRST_OWNER + len(self.owners)
        now = self.now()
        team_number = self.people.team(team) if team else None
        owner = Owner(number, email, first_name, last_name, now, now, archived, team, team_number)
        self.owners[number] = owner
        if not archived:
            self.people.add(User(owner.user_number, email, first_name, last_name, team_number))
        return str(number)

    @locked
    def add_pipeline(self, object_type: str, pipeline_id: str, label: str, stages: Iterable[Stage]) -> None:
        """Add a pipeline, or put it in the place of the one with its id."""
        name = self.kinds.find(object_type).name
        others = [each for each in self.pipelines.get(name, []) if each.id != pipeline_id]
        self.pipelines[name] = [*others, Pipeline(pipeline_id, label, tuple(stages), self.now())]

    @locked
    def define_object(self, name: str, properties: Iterable[Property], *, singular: str = "", title: str = "") -> str:
        """Define a custom object type; returns its id, `2-…`."""
        given = {each.name: each for each in properties}
        type_id = f"2-{self._next_type}"
        self._next_type += 1
        kind = Kind(name, type_id, singular or name.removesuffix("s"), title=title or next(iter(given)))
        full = f"p{self.account.portal_id}_{name}"
        self.kinds.add(kind, full, f"p_{name}")
        self.stores[name] = Store(kind, {**standard(kind), **given})
        self.schemas[name] = (kind, full, self.now())
        return type_id

    def _check_names(self, store: Store, properties: Mapping[str, str | None]) -> None:
        unknown = properties.keys() - store.properties.keys()
        if unknown:
            raise KeyError(f"{store.kind.name} has no property {', '.join(sorted(unknown))}; add_property() makes one")
        wrong = [name for name, value in properties.items() if not isinstance(value, str | None)]
        if wrong:
            raise TypeError(f"HubSpot's values are text or None; these are not: {', '.join(wrong)}")

    def _live(self, store: Store, record_id: str) -> Record:
        record = store.live.get(record_id)
        if record is None:
            raise KeyError(f"no live record {record_id} in {store.kind.name}")
        return record

    def _changed(
        self, store: Store, record: Record, properties: Mapping[str, str | None], user: int | None = None
    ) -> Record:
        now = self.now()
        newest = {name: Version.of(value, now, user) for name, value in properties.items()}
        history = {
            **record.history,
            **{name: (version, *record.versions(name, store.kind)) for name, version in newest.items()},
        }
        return replace(record, own={**record.own, **properties}, updated=now, history=history)

    def _keep(self, store: Store, record: Record) -> None:
        store.live.put(record)
        self._note(store, record.number, record)

    def _note(self, store: Store, number: int, record: Record | None) -> None:
        lag = self.quirks.search_lag
        store.index.note(number, record, self.now() + round(lag * 1000) if lag else None)
