"""Records by REST: pages of a query in the order of Ids, so that they can go on behind any record that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from crmdb_core.exceptions import ApiError, CrmdbError
from tap_salesforce.exceptions import TooMuchError
from tap_salesforce.judge import ASK_ANEW, SPLIT, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crmdb_core.http import ApiSession
    from tap_salesforce.composite import Composite
    from tap_salesforce.parts import Part
    from tap_salesforce.paths import Paths
    from tap_salesforce.soql import Query

    Json = dict[str, Any]

__all__ = ["RestPage", "RestReader", "opening_url"]

_LONGEST_URL = 8_000
"""Salesforce takes 16,384 bytes of URL and headers together; above this the query goes in a composite body instead."""
_ENDED = 404
_IDS_A_QUERY = 1_000
"""24 characters each, of the 100,000 that a query may have."""
_HALVINGS = 12


@dataclass(frozen=True)
class RestPage:
    """Rows of a page, what of the part is left behind them, and the cursor to it (None: nothing is left)."""

    rows: Sequence[Mapping[str, Any]]
    left: Part
    cursor: str | None
    total: int | None


def opening_url(paths: Paths, query: Query, soql: str) -> str:
    """The URL of a query's first page."""
    return f"{paths.query_all if query.with_deleted else paths.query}?{urlencode({'q': soql})}"


class RestReader:
    """Reads parts of one query. A cursor lives two days (vendor page "Query"); without it the last Id is gone behind.

    Raises:
        TooMuchError: where the query asks for too much at once.
    """

    def __init__(self, session: ApiSession, paths: Paths, composite: Composite, query: Query) -> None:
        self._session = session
        self._paths = paths
        self._composite = composite
        self._query = query

    def pages(
        self,
        part: Part,
        cursor: str | None = None,
        *,
        opening: Json | None = None,
        limit: int | None = None,
        most: int | None = None,
    ) -> Iterator[RestPage]:
        """The pages of a part, from a cursor on if there is one, or pieces of them of `most` rows.

        `opening` is the first page where it is known.
        """
        answer = opening or (self._next(cursor) if cursor else None) or self.first(part, limit=limit)
        cursors: set[str] = set()
        while True:
            rows, cursor = answer["records"], answer.get("nextRecordsUrl")
            while most and self._query.has_id and len(rows) > most:
                part = part.behind(rows[most - 1]["Id"])
                yield RestPage(rows[:most], part, None, answer.get("totalSize"))
                rows = rows[most:]
            if rows and self._query.has_id:
                part = part.behind(rows[-1]["Id"])
            yield RestPage(rows, part, cursor, answer.get("totalSize"))
            if answer["done"] or cursor is None:
                return
            if cursor in cursors:
                raise CrmdbError(f"Salesforce repeated a cursor of {self._query.name}; run again")
            cursors.add(cursor)
            answer = self._next(cursor) or self._anew(part)

    def first(self, part: Part, *, limit: int | None = None) -> Json:
        """The first page of a part."""
        return self.ask(self._query.text(part, in_order=True, limit=limit))

    def ask(self, soql: str) -> Json:
        """The first page of any query about the object."""
        url = opening_url(self._paths, self._query, soql)
        try:
            if len(url) <= _LONGEST_URL:
                answer: Json = self._session.get_json(url)
                return answer
            found = self._composite.get([url])[0]
            if not found.ok:
                raise found.error()
            return dict(found.body)
        except ApiError as error:
            self._refuse_too_much(error)
            raise

    def by_ids(self, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """The rows of records whose Ids are known, in smaller groups where they are too much at once."""
        for start in range(0, len(ids), _IDS_A_QUERY):
            yield from self._of_ids(ids[start : start + _IDS_A_QUERY], _HALVINGS)

    def _of_ids(self, ids: Sequence[str], left: int) -> Iterator[Mapping[str, Any]]:
        try:
            rows = self._whole(self.ask(self._query.by_ids(ids)))
        except TooMuchError:
            if not left:
                raise
            rows = None
        if rows is not None:
            yield from rows
            return
        half = (len(ids) + 1) // 2
        for some in (ids[:half], ids[half:]):
            if some:
                yield from self._of_ids(some, left - 1)

    def _whole(self, answer: Json) -> list[Mapping[str, Any]]:
        """The rows of an answer and of the pages behind it; raises TooMuchError where a cursor runs out meanwhile."""
        rows = list(answer["records"])
        while not answer["done"]:
            behind = self._next(answer["nextRecordsUrl"])
            if behind is None:
                raise TooMuchError("the cursor of a query by Ids has run out; run again")
            answer = behind
            rows += answer["records"]
        return rows

    def _next(self, cursor: str) -> Json | None:
        """The page at a cursor; None where the cursor has run out."""
        try:
            answer: Json = self._session.get_json(cursor)
        except ApiError as error:
            if code_of(error) in ASK_ANEW or error.status == _ENDED:
                return None
            self._refuse_too_much(error)
            raise
        return answer

    def _anew(self, part: Part) -> Json:
        if not self._query.has_id:  # in no order: to begin again would send rows twice, and nothing tells them apart
            raise CrmdbError(f"{self._query.name}: the cursor of its rows has run out; run again")
        return self.first(part)

    def _refuse_too_much(self, error: ApiError) -> None:
        code = code_of(error)
        if code in SPLIT:
            raise TooMuchError(str(error), code=code) from None
