"""Which fields of an object are asked for in its query, which are fetched apart, and which are made of others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tap_salesforce.compounds import compounds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_salesforce.compounds import Compound
    from tap_salesforce.objects import Field, SObject

__all__ = ["Columns"]

BLOB = "base64"
_ONE_BY_ONE = frozenset({"address", "location", "json", "complexvalue", BLOB})
_ODD_SOAP = ("urn:SearchLayout", "urn:RecordTypesSupported", "urn:JunctionIdListNames", "tns:json", "urn:address")
"""What the Bulk API cannot write as CSV (vendor page "Bulk API 2.0 Query Considerations")."""
_STAMPS = ("SystemModstamp", "LastModifiedDate")
_IS_DELETED = "IsDeleted"


@dataclass(frozen=True)
class Columns:
    """The wanted fields of an object, by how each is got.

    `queried` are in every query, in the order of the describe, among them those that only the reading needs; `apart`
    are queried by Id beside it, in as many queries as there are tuples; `blobs` are fetched one by one.
    """

    sobject: SObject
    wanted: frozenset[str]
    queried: tuple[Field, ...]
    apart: tuple[tuple[Field, ...], ...] = ()
    blobs: tuple[Field, ...] = ()
    compounds: tuple[Compound, ...] = ()

    @classmethod
    def of(cls, sobject: SObject, wanted: Iterable[str], *, most: int = 0) -> Columns:
        """Of these fields; names of which the query would hold more than `most` characters (0: any) go apart."""
        names = frozenset(wanted)
        made = {name: each for name, each in compounds_of(sobject).items() if name in names}
        needed = names | {column for each in made.values() for column in each.columns} | set(_for_reading(sobject))
        fields = [each for each in sobject.fields if each.name in needed and each.name not in made]
        if not sobject.has_id:
            fields = [each for each in fields if not is_odd(each)]
        odd = tuple(each for each in fields if is_odd(each) and each.type != BLOB)
        columns = cls(
            sobject,
            names,
            queried=tuple(each for each in fields if not is_odd(each)),
            apart=(odd,) if odd else (),
            blobs=tuple(each for each in fields if each.type == BLOB),
            compounds=tuple(made.values()),
        )
        return columns.within(most) if most else columns

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is queried."""
        return tuple(each.name for each in self.queried)

    @property
    def length(self) -> int:
        """How many characters the names in the query take."""
        return len(",".join(self.names))

    @property
    def is_whole(self) -> bool:
        """Whether one query gives all that is wanted."""
        return not (self.apart or self.blobs)

    def within(self, most: int) -> Columns:
        """The same, with no more than so many characters of names in any one query."""
        if self.length <= most or not self.sobject.has_id:
            return self
        needed = _for_reading(self.sobject)
        first, *rest = _groups(self._units(set(needed)), most)
        kept = {*needed, *(each.name for each in first)}
        return replace(
            self,
            queried=tuple(each for each in self.queried if each.name in kept),
            apart=(*(tuple(group) for group in rest), *self.apart),
            compounds=tuple(each for each in self.compounds if kept.issuperset(each.columns)),
        )

    def _units(self, taken: set[str]) -> Iterator[list[Field]]:
        """The fields beside those taken, the parts of one compound together."""
        for compound in self.compounds:
            unit = [each for each in self.queried if each.name in compound.columns and each.name not in taken]
            taken |= set(compound.columns)
            yield unit
        yield from ([each] for each in self.queried if each.name not in taken)

    def alone(self, group: Iterable[Field]) -> Columns:
        """A group of fields that are queried apart, with the Id by which they are put where they belong."""
        names = {"Id", *(field.name for field in group)}
        made = compounds_of(self.sobject).values()
        compounds = tuple(each for each in made if each.name in self.wanted and names.issuperset(each.columns))
        wanted = (self.wanted & (names | {each.name for each in compounds})) | {"Id"}
        queried = tuple(field for field in self.sobject.fields if field.name in names)
        return Columns(self.sobject, wanted, queried, compounds=compounds)


def is_odd(field: Field) -> bool:
    """Whether a field's value does not come in a query's rows in the same form from both APIs."""
    return field.type in _ONE_BY_ONE or field.soap_type.startswith(_ODD_SOAP)


def _for_reading(sobject: SObject) -> tuple[str, ...]:
    """What the reading itself needs: who it is, when it changed, whether it is gone."""
    names = ("Id" if sobject.has_id else None, sobject.replication_key, *_STAMPS, _IS_DELETED)
    return tuple(dict.fromkeys(name for name in names if name is not None and name in sobject))


def _groups(units: Iterable[list[Field]], most: int) -> list[list[Field]]:
    groups: list[list[Field]] = [[]]
    size = 0
    for unit in units:
        length = sum(len(field.name) + 1 for field in unit)
        size += length
        if size > most and groups[-1]:
            groups.append([])
            size = length
        groups[-1] += unit
    return groups
