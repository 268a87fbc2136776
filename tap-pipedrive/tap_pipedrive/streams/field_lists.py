"""What fields there are: a stream for each entity, and one of all options, of which deleted ones stay known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import ApiError, ForbiddenError
from crmdb_core.forecast import Forecast
from crmdb_core.stream import Page
from tap_pipedrive.client import PipedriveStream, fields, is_off, priced
from tap_pipedrive.definitions import IN_V1, IN_V2, path_of
from tap_pipedrive.shapes import BOOLEAN, INSTANT, INTEGER, LIST, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_pipedrive.shapes import Record
    from tap_pipedrive.tap import TapPipedrive

__all__ = ["field_streams"]


class FieldsStream(PipedriveStream):
    """The fields of one entity with their options; `name_in_records` is what a custom one is called in records."""

    keys = fields(field_code=TEXT)
    optional = True
    properties = fields(
        field_name=TEXT, name_in_records=TEXT, description=TEXT, field_type=TEXT, options=LIST, options_deleted=LIST,
        subfields=LIST, is_custom_field=BOOLEAN, is_optional_response_field=BOOLEAN, order_nr=INTEGER,
        active_flag=BOOLEAN, add_time=INSTANT, update_time=INSTANT,
    )  # fmt: skip

    def __init__(self, tap: TapPipedrive, entity: str) -> None:
        self.name = f"{entity}_fields"
        self.path = path_of(entity)  # type: ignore[misc]  # of this one
        self._entity = entity
        super().__init__(tap)

    @override
    def pages(self) -> Iterator[Page]:
        yield Page(self.tap.definitions.of(self._entity))

    @override
    def record_of(self, row: Record) -> Record:
        record = super().record_of(row)
        if row.get("is_custom_field"):
            record["name_in_records"] = self.tap.names_of(self._entity).get(str(row["field_code"]))
        return record

    @override
    def deleted_at(self, record: Record) -> Any:
        return None  # what is deleted is not listed

    @override
    def forecast(self) -> Forecast:
        return priced(Forecast(len(self.tap.definitions.of(self._entity)), {}, "exactly"), {self.path: 1})


class OptionsStream(PipedriveStream):
    """The options of all fields, one row each; those that the API no longer lists stay."""

    name = "field_options"
    keys = fields(entity=TEXT, field_code=TEXT, id=TEXT)
    removes_vanished = False
    properties = fields(label=TEXT, color=TEXT, position=INTEGER, is_custom_field=BOOLEAN, is_deleted=BOOLEAN)
    _entities: ClassVar[tuple[str, ...]] = (*IN_V2, "lead")

    @override
    def pages(self) -> Iterator[Page]:
        for entity in self._entities:
            try:
                yield Page(list(_options(entity, self.tap.definitions.of(entity))))
            except ApiError as error:
                if not (is_off(error) or isinstance(error, ForbiddenError)):
                    raise
                self.logger.info("%s: the fields of %s are not open", self.name, entity)

    @override
    def deleted_at(self, record: Record) -> Any:
        return self._now if record["is_deleted"] else None

    @override
    def forecast(self) -> Forecast:
        return priced(Forecast(None, {}, "about"), {path_of(entity): 1 for entity in self._entities})


def _options(entity: str, definitions: Iterable[Record]) -> Iterator[Record]:
    for field in definitions:
        known = {"entity": entity, "field_code": field["field_code"], "is_custom_field": field.get("is_custom_field")}
        for is_deleted, name in ((False, "options"), (True, "options_deleted")):
            for position, option in enumerate(field.get(name) or ()):
                shown = {part: option.get(part) for part in ("label", "color")}
                yield {**known, "id": str(option["id"]), **shown, "position": position, "is_deleted": is_deleted}


def field_streams(tap: TapPipedrive) -> list[PipedriveStream]:
    """All of them."""
    return [*(FieldsStream(tap, entity) for entity in (*IN_V2, *IN_V1)), OptionsStream(tap)]
