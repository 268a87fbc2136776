"""Queries in SOQL: what is asked of which records, and how long it becomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_salesforce.objects import SObject
    from tap_salesforce.parts import Part

__all__ = ["LONGEST", "Query", "instant", "quoted"]

LONGEST = 100_000
"""Characters of a query (vendor page "SOQL and SOSL Limits")."""


@dataclass(frozen=True)
class Query:
    """Columns of an object's records, of those that a condition of the user's picks (None: all).

    `key` is the stamp by which parts are bounded; `with_deleted` asks for what is in the recycle bin too, and archived;
    `has_id`: records can be put in the order of Ids.
    """

    name: str
    columns: tuple[str, ...]
    key: str | None = None
    key_is_date: bool = False
    where: str | None = None
    with_deleted: bool = False
    has_id: bool = True

    @classmethod
    def of(cls, sobject: SObject, columns: Iterable[str], *, where: str | None, with_deleted: bool) -> Query:
        """A query for an object."""
        key = sobject.replication_key
        return cls(
            sobject.name,
            tuple(columns),
            key=key,
            key_is_date=key is not None and sobject.field(key).type == "date",
            where=where,
            with_deleted=with_deleted and sobject.has_is_deleted,
            has_id=sobject.has_id and sobject.field("Id").sortable and sobject.field("Id").filterable,
        )

    def text(self, part: Part, *, in_order: bool = False, limit: int | None = None) -> str:
        """The query for a part; `in_order` of Ids, so that it can go on behind any of them."""
        clauses = [f"SELECT {','.join(self.columns)} FROM {self.name}"]  # noqa: S608 - names of the org's own describe
        clauses += self._where([*self._of_part(part)])
        clauses += [" ORDER BY Id"] if in_order and self.has_id else []
        clauses += [] if limit is None else [f" LIMIT {limit}"]
        return "".join(clauses)

    def count(self, part: Part) -> str:
        """The query for the number of a part's records."""
        return f"SELECT count() FROM {self.name}{''.join(self._where([*self._of_part(part)]))}"  # noqa: S608 - as above

    def edge(self, part: Part, *, last: bool) -> str:
        """The query for the first or the last Id of a part."""
        order = " DESC" if last else ""
        where = "".join(self._where([*self._of_part(part)], theirs=False))
        return f"SELECT Id FROM {self.name}{where} ORDER BY Id{order} LIMIT 1"  # noqa: S608 - as above

    def by_ids(self, ids: Sequence[str]) -> str:
        """The query for records whose Ids are known, whatever else the user's condition says."""
        listed = ",".join(map(quoted, ids))
        return f"SELECT {','.join(self.columns)} FROM {self.name} WHERE Id IN ({listed})"  # noqa: S608 - as above

    def digest(self) -> str:
        """What tells this query from another one, for STATE."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def _where(self, conditions: list[str], *, theirs: bool = True) -> list[str]:
        if theirs and self.where:
            conditions = [*conditions, f"({self.where})"]
        return [f" WHERE {' AND '.join(conditions)}"] if conditions else []

    def _of_part(self, part: Part) -> Iterable[str]:
        if self.key is not None and part.low is not None:
            yield f"{self.key} >= {self._stamp(part.low)}"
        if self.key is not None and part.high is not None:
            yield f"{self.key} < {self._stamp(part.high)}"
        if part.after is not None:
            yield f"Id > {quoted(part.after)}"
        if part.until is not None:
            yield f"Id <= {quoted(part.until)}"

    def _stamp(self, bound: datetime) -> str:
        """A bound rounded down, so that windows meet: what one leaves out at its end the next one reads."""
        return f"{bound.astimezone(UTC):%Y-%m-%d}" if self.key_is_date else instant(bound)


def instant(value: datetime) -> str:
    """A literal for a point in time, by milliseconds, rounded down."""
    moment = value.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def quoted(text: str) -> str:
    """A literal for a text (vendor page "Quoted String Escape Sequences")."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
