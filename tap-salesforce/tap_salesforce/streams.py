"""The streams of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from crmdb_core.stream import CrmStream, Page
from tap_salesforce.schema import object_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_salesforce.objects import SObject
    from tap_salesforce.tap import TapSalesforce

__all__ = ["ObjectStream"]


class ObjectStream(CrmStream):
    """The records of one object."""

    tap: TapSalesforce

    def __init__(self, tap: TapSalesforce, sobject: SObject) -> None:
        super().__init__(tap, schema=object_schema(sobject), name=sobject.name)
        self.sobject = sobject
        self.primary_keys = ("Id",) if sobject.has_id else ()
        self.replication_key = sobject.replication_key

    @override
    def fetch(self) -> Iterator[Page]:
        """Pages of the whole object."""
        names = ", ".join(each.name for each in self.sobject.fields)
        answer = self.tap.session.get_json(self.tap.paths.query_all, {"q": f"SELECT {names} FROM {self.name}"})  # noqa: S608 - SOQL, by names that the org gives
        yield Page(answer["records"])
        while not answer["done"]:
            answer = self.tap.session.get_json(answer["nextRecordsUrl"])
            yield Page(answer["records"])
