"""Records out of rows, whichever API gave them: the same fields in the same order with the same values."""

from __future__ import annotations

from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_salesforce.schema import DELETED_AT
from tap_salesforce.values import from_csv, from_rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_salesforce.columns import Columns

    Record = dict[str, Any]
    Values = list[Any]

__all__ = ["RowForm"]

_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


class RowForm:
    """Makes records of an object's rows.

    What is made of other fields (addresses, `_sdc_deleted_at`) is made here. `tells_deleted`: whether every record
    says if and when it was deleted, as all but parts of records do.
    """

    def __init__(self, columns: Columns, *, tells_deleted: bool = True) -> None:
        self._columns = columns
        self._names = columns.names
        self._csv = [from_csv(field) for field in columns.queried]
        self._rest = [from_rest(field) for field in columns.queried]
        self._tells_deleted = tells_deleted
        self._place = {name: place for place, name in enumerate(self._names)}

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a query, in the order in which a row has to have them."""
        return self._names

    def of_rest(self, rows: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Records of the rows of a REST answer."""
        if not rows:
            return []
        if len(self._names) == 1:
            return self._records([[row[self._names[0]] for row in rows]], self._rest)
        return self._records(zip(*map(itemgetter(*self._names), rows), strict=True), self._rest)

    def of_csv(self, rows: Sequence[Sequence[str]]) -> list[Record]:
        """Records of the rows of a Bulk result, whose values stand in the order of `names`.

        Raises:
            ValueError: if a row has another number of values.
        """
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        if len(columns) != len(self._names):
            raise ValueError(f"rows of {len(columns)} values where {len(self._names)} were asked for")
        return self._records(columns, self._csv)

    def _records(self, columns: Iterable[Iterable[Any]], casts: Sequence[Callable[[Any], Values]]) -> list[Record]:
        values = [cast(column) for cast, column in zip(casts, columns, strict=True)]
        out = [make(values) for make in self._makers]
        names = self._out
        return [dict(zip(names, record, strict=True)) for record in zip(*out, strict=True)]

    @cached_property
    def _out(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._sources)

    @cached_property
    def _makers(self) -> list[Callable[[list[Values]], Values]]:
        return [make for _, make in self._sources]

    @cached_property
    def _sources(self) -> list[tuple[str, Callable[[list[Values]], Values]]]:
        """The fields of a record in the order of the describe, each with what makes its column of all that came."""
        compounds = {each.name: each for each in self._columns.compounds}
        sources: list[tuple[str, Callable[[list[Values]], Values]]] = []
        for name in (field.name for field in self._columns.sobject.fields if field.name in self._columns.wanted):
            if name in compounds:
                each = compounds[name]
                sources.append((name, _Maker(each.keys, [self._place[column] for column in each.columns])))
            elif name in self._place:
                sources.append((name, itemgetter(self._place[name])))
        if self._tells_deleted:
            sources.append((DELETED_AT, self._deleted_at))
        return sources

    def _deleted_at(self, values: list[Values]) -> Values:
        """When each was put into the recycle bin: that moves its stamp."""
        if "IsDeleted" not in self._place:
            return [None] * len(values[0])
        stamp = next((name for name in _STAMPS if name in self._place), None)
        flags = values[self._place["IsDeleted"]]
        if stamp is None:
            return [None] * len(flags)
        stamps = values[self._place[stamp]]
        return [at if gone else None for gone, at in zip(flags, stamps, strict=True)]


class _Maker:
    """A column of compound values; one without any part is null, as REST has it."""

    def __init__(self, keys: tuple[str, ...], places: Sequence[int]) -> None:
        self._keys = keys
        self._places = places

    def __call__(self, values: list[Values]) -> Values:
        nothing = (None,) * len(self._keys)
        rows = zip(*(values[place] for place in self._places), strict=True)
        return [None if row == nothing else dict(zip(self._keys, row, strict=True)) for row in rows]
