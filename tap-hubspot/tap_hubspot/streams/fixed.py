"""Streams whose shape is known beforehand: their rows get the types of their SCHEMA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_hubspot.client import HubSpotStream
from tap_hubspot.schema import BOOLEAN, INSTANT, KEY, NUMBER, TEXT, Schema
from tap_hubspot.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context

    from crmdb_core.stream import Page

    Record = dict[str, Any]

__all__ = ["BOOLEAN", "FREE", "FREE_LIST", "INSTANT", "INTEGER", "KEY", "NUMBER", "TEXT", "FixedStream", "shape"]

INTEGER: Schema = {"type": ["integer", "null"]}
# Kept as JSON, whatever is inside.
FREE: Schema = {"type": ["object", "null"]}
FREE_LIST: Schema = {"type": ["array", "null"]}


def shape(keys: Iterable[str], **properties: Schema) -> Schema:
    """The JSON schema of a record; the keys are text that is never null."""
    named = dict.fromkeys(keys, KEY)
    return {"type": "object", "properties": {**named, **properties}, "required": [*named]}


class FixedStream(HubSpotStream):
    """A stream with a declared shape: a subclass gives `schema` and `fetch`."""

    schema: ClassVar[dict[str, Any]]
    absent_is_null: ClassVar[bool] = True
    """HubSpot leaves empty fields out; as nulls they take back what was there. Not needed where nothing changes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._typed = Typed(type(self).schema)
        self._nulls = dict.fromkeys(type(self).schema["properties"] if self.absent_is_null else ())

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        return map(self.record_of, page.rows)

    def record_of(self, row: Mapping[str, Any]) -> Record:
        """One row as a record."""
        return {**self._nulls, **self._typed(row)}

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        yield from super().get_records(context)
        if self._typed.misfits:
            self.logger.warning(
                "%s: values that do not fit their declared type became null; number by field: %s",
                self.name,
                self._typed.misfits,
            )
