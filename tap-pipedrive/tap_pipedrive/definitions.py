"""The field definitions of every entity, each list fetched once a run, and only where it is needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tap_pipedrive.paging import OffsetList, cursor_pages
from tap_pipedrive.shapes import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmdb_core.http import ApiSession

    Row = dict[str, Any]

__all__ = ["IN_V1", "IN_V2", "Definitions", "path_of"]

IN_V2 = ("deal", "person", "organization", "product", "activity", "project")
IN_V1 = ("lead", "note")


def path_of(entity: str) -> str:
    """The list of an entity's fields; leads have those of deals."""
    return f"/v1/{entity}Fields" if entity in IN_V1 else f"/api/v2/{entity}Fields"


class Definitions:
    """Field definitions by entity, in the form of v2."""

    def __init__(self, session: ApiSession, size: int) -> None:
        self._session = session
        self._size = size
        self._locks = {entity: threading.Lock() for entity in (*IN_V1, *IN_V2)}
        self._known: dict[str, list[Row]] = {}

    def of(self, entity: str) -> list[Row]:
        """The fields of an entity."""
        with self._locks[entity]:
            if entity not in self._known:
                self._known[entity] = self._of_v1(entity) if entity in IN_V1 else self._of_v2(entity)
            return self._known[entity]

    def labels(self, entity: str, code: str) -> Mapping[Any, str]:
        """The labels of a field's options by their ids."""
        field = next((each for each in self.of(entity) if each.get("field_code") == code), {})
        return {option["id"]: to_text(option.get("label") or "") for option in field.get("options") or ()}

    def _of_v2(self, entity: str) -> list[Row]:
        pages = cursor_pages(self._session, path_of(entity), {"limit": self._size})
        return [row for rows, _ in pages for row in rows]

    def _of_v1(self, entity: str) -> list[Row]:
        path = path_of(entity)
        if entity == "note":  # it comes at once
            return [_as_v2(row) for row in self._session.get_json(path)["data"]]
        return [_as_v2(row) for rows, _ in OffsetList(self._session, path, {}, self._size).pages() for row in rows]


def _as_v2(row: Row) -> Row:
    renamed = {"field_code": "key", "field_name": "name", "is_custom_field": "edit_flag"}
    same = ("field_type", "options", "options_deleted", "add_time", "update_time", "active_flag", "order_nr")
    return {**{name: row.get(old) for name, old in renamed.items()}, **{name: row.get(name) for name in same}}
