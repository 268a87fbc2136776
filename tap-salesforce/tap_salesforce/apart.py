"""What a query does not give with the rest of a record: fetched for the records of one page, by their Ids."""

from __future__ import annotations

import base64
import enum
import logging
from typing import TYPE_CHECKING, Any

import requests

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import NotFoundError, ResponseTooLargeError
from tap_salesforce.rest import RestReader
from tap_salesforce.rows import RowForm
from tap_salesforce.soql import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmdb_core.http import ApiSession
    from tap_salesforce.columns import Columns
    from tap_salesforce.composite import Composite
    from tap_salesforce.objects import Field
    from tap_salesforce.paths import Paths

    Record = dict[str, Any]

__all__ = ["Apart"]

logger = logging.getLogger(__name__)


class _TooLarge(enum.Enum):
    """What stands for a file that is too large."""

    FILE = 0


_TOO_LARGE = _TooLarge.FILE


class Apart:
    """Fills in fields of records that were read without them.

    A record that is gone meanwhile keeps what was read of it, without these fields: an absent key says nothing. So does
    one whose file is too large.
    """

    def __init__(
        self, session: ApiSession, paths: Paths, composite: Composite, columns: Columns, *, workers: int
    ) -> None:
        self._session = session
        self._paths = paths
        self._columns = columns
        self._composite = composite
        self._workers = workers

    def fill(self, records: Sequence[Record]) -> None:
        """Add the fields to each record, which is put in the order of the describe again."""
        found: dict[str, Record] = {each["Id"]: {} for each in records}
        for group in self._columns.apart:
            for record in self._queried(group, list(found)):
                found[record.pop("Id")].update(record)
        for blob in self._columns.blobs:
            self._fetch(blob, found)
        places = {field.name: place for place, field in enumerate(self._columns.sobject.fields)}
        for record in records:
            whole = {**record, **found[record["Id"]]}
            record.clear()
            record.update(sorted(whole.items(), key=lambda item: places.get(item[0], len(places))))

    def _queried(self, group: Sequence[Field], ids: Sequence[str]) -> Iterator[Record]:
        form = RowForm(self._columns.alone(group), tells_deleted=False)
        rows = list(self._reader(form.names).by_ids(ids))
        yield from form.of_rest(rows)

    def _query(self, names: Sequence[str]) -> Query:
        return Query.of(self._columns.sobject, names, where=None, with_deleted=True)

    def _reader(self, names: Sequence[str]) -> RestReader:
        return RestReader(self._session, self._paths, self._composite, self._query(names))

    def _fetch(self, blob: Field, found: dict[str, Record]) -> None:
        """Bodies of a base64 field, one call each; a query's rows hold only a path where there is one."""
        rows = list(self._reader(("Id", blob.name)).by_ids(list(found)))
        bodies = in_order(lambda row: self._body(row[blob.name]), rows, workers=self._workers)
        for row, body in zip(rows, bodies, strict=True):
            if body is _TOO_LARGE:
                logger.warning(
                    "%s.%s of record %s is too large to be sent and is left out",
                    self._columns.sobject.name,
                    blob.name,
                    row["Id"],
                )
            else:
                found[row["Id"]][blob.name] = body

    def _body(self, path: str | None) -> str | _TooLarge | None:
        if not path:
            return None
        request = requests.Request("GET", self._session.origin.url(path), headers={"Accept": "*/*"})
        try:
            content: bytes = self._session.send(self._session.prepare_request(request)).content
        except NotFoundError:
            return None  # deleted meanwhile
        except ResponseTooLargeError:  # files may have 2 GB, and no JSON line should
            return _TOO_LARGE
        return base64.b64encode(content).decode()
