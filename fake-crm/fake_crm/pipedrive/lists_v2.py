"""API v2: lists with cursors, single rows, fields, and what hangs on deals."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from fake_crm.clock import instant_of
from fake_crm.pipedrive.call import answer, answer_rows
from fake_crm.pipedrive.errors import bad_request, feature_off, not_found
from fake_crm.pipedrive.paging import page_after, v2_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fake_crm.pipedrive.call import Call
    from fake_crm.wire import Reply

    Json = dict[str, Any]
    Keep = Callable[[Json], bool]

# fractions of seconds and blanks are refused, offsets are not (facts: live behaviour of v2)
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
_STATUSES = frozenset({"open", "won", "lost", "deleted"})
_MOST_IDS, _MOST_KEYS = 100, 15
_DELETED_DAYS = 30
_REFERENCES = ("owner_id", "person_id", "org_id", "deal_id", "pipeline_id", "stage_id", "phase_id")
_COUNTS = ("products_count", "participants_count", "followers_count")
PAGE = frozenset({"limit", "cursor", "sort_by", "sort_direction"})


@dataclass(frozen=True)
class List:
    """A list of v2: its table, which rows it has, and what it takes beside limit and cursor."""

    table: str
    keep: Callable[[Call], Keep]
    sorts: tuple[str, ...] = ("id", "update_time", "add_time")
    parent: str = ""
    feature: str = ""
    tells_cursor: bool = True

    def __call__(self, call: Call) -> Reply:
        """One page."""
        if self.feature in call.quirks.features_off:
            raise feature_off(self.feature)
        sort_by, direction = self._sorting(call)
        limit = v2_limit(call.one("limit"))
        text = call.one("cursor")
        place = None if text is None else call.cursors.read(text, sort_by, direction)
        rows = page_after(self._rows(call, sort_by), sort_by, direction, place)
        call.cursors.pages += 1
        if call.quirks.short_every and call.cursors.pages % call.quirks.short_every == 0:
            limit = 1
        found, more = _first(rows, limit, self.keep(call))
        after = call.cursors.make(sort_by, direction, found[-1]) if more else None
        if more and call.quirks.loops_at == call.cursors.pages and text:
            call.quirks.loops_at, after = None, text
        additional = json.dumps({"next_cursor": after}) if self.tells_cursor else "null"
        return answer_rows([_shown(call, self.table, row) for row in found], additional)

    def _rows(self, call: Call, sort_by: str) -> Sequence[Json]:
        if not self.parent:
            return call.world.seen(self.table, sort_by)
        wanted = _ids(call, "deal_ids")
        if not wanted:
            raise bad_request("deal_ids is required")
        by_deal = call.world.children(self.table, self.parent)
        rows = [row for deal in set(wanted) for row in by_deal.get(deal, ())]
        return sorted(rows, key=lambda row: (row[sort_by], row["id"]))

    def _sorting(self, call: Call) -> tuple[str, str]:
        sort_by, direction = call.one("sort_by") or "id", call.one("sort_direction") or "asc"
        if sort_by not in self.sorts or direction not in {"asc", "desc"}:
            raise bad_request(f"sort_by must be one of {', '.join(self.sorts)}; sort_direction asc or desc")
        return sort_by, direction


def _first(rows: Iterable[Json], limit: int, keep: Callable[[Json], bool]) -> tuple[list[Json], bool]:
    """The first rows that are to be kept, and whether there are more."""
    found: list[Json] = []
    for row in rows:
        if keep(row):
            if len(found) == limit:
                return found, True
            found.append(row)
    return found, False


def _ids(call: Call, name: str = "ids") -> list[int]:
    texts = call.many(name)
    if len(texts) > _MOST_IDS or not all(text.isdecimal() for text in texts):
        raise bad_request(f"{name} takes at most {_MOST_IDS} numbers")
    return [int(text) for text in texts]


def instant_param(call: Call, name: str) -> str | None:
    """A boundary as the stamps of rows are, in UTC."""
    text = call.one(name)
    if text is None:
        return None
    if not _STAMP.fullmatch(text):
        raise bad_request(f"{name} must be in RFC3339 format, such as 2025-01-01T10:20:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise bad_request(f"{name} is no date") from None


def _within(call: Call) -> Keep:
    """The filters that every list with stamps has."""
    since, until = instant_param(call, "updated_since"), instant_param(call, "updated_until")
    ids = set(_ids(call))
    if len(call.many("custom_fields")) > _MOST_KEYS:
        raise bad_request(f"custom_fields takes at most {_MOST_KEYS} keys")
    given = [(name, int(text)) for name in _REFERENCES if (text := call.one(name)) is not None]

    def keep(row: Json) -> bool:
        stamp = row.get("update_time")
        if (since or until) and (stamp is None or (since and stamp < since) or (until and stamp >= until)):
            return False
        if ids and row["id"] not in ids:
            return False
        return all(row.get(name) == value for name, value in given)

    return keep


def _live(call: Call) -> Keep:
    within = _within(call)
    return lambda row: not row.get("is_deleted") and within(row)


def _deals(call: Call, *, archived: bool) -> Keep:
    statuses = set(call.many("status"))
    if statuses - _STATUSES:
        raise bad_request("status must be open, won, lost or deleted")
    within = _within(call)
    oldest = (instant_of(call.world.now()) - timedelta(days=_DELETED_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def keep(row: Json) -> bool:
        if row["is_archived"] is not archived or not within(row):
            return False
        if row["is_deleted"]:
            return "deleted" in statuses and row["update_time"] >= oldest
        return not statuses or row["status"] in statuses

    return keep


def _projects(call: Call, *, archived: bool) -> Keep:
    statuses, within = set(call.many("status")), _within(call)

    def keep(row: Json) -> bool:
        shown = row["status"] in statuses if statuses else row["status"] != "deleted"
        return (row["archive_time"] is not None) is archived and shown and within(row)

    return keep


def _every(_: Call) -> Keep:
    return lambda _: True


def _shown(call: Call, table: str, row: Json) -> str:
    """A row as JSON, with what was asked for beside it."""
    more: Json = {}
    if table == "deals":
        wanted = [name for name in call.many("include_fields") if name in _COUNTS and call.quirks.counts]
        more = {name: _count(call, row["id"], name) for name in wanted}
    if call.one("include_option_labels") or call.one("include_labels") or call.many("custom_fields"):
        return json.dumps({**_labelled(call, table, row), **more}, separators=(",", ":"))
    text = call.world.text_of(table, row)
    return text if not more else f"{text[:-1]},{json.dumps(more)[1:]}"


def _count(call: Call, deal: int, name: str) -> int:
    table = {"products_count": "deal_products"}.get(name, name.removesuffix("_count"))
    return len(call.world.children(table, "deal_id").get(deal, ()))


def _labelled(call: Call, table: str, row: Json) -> Json:
    entity = table.removesuffix("s")
    fields = call.world.definitions.custom(entity)
    keys = call.many("custom_fields")
    custom = {code: value for code, value in row["custom_fields"].items() if not keys or code in keys}
    if call.flag("include_option_labels"):
        custom = {code: _with_labels(fields.get(code), value) for code, value in custom.items()}
    return {**row, "custom_fields": custom}


def _with_labels(field: Any, value: Any) -> Any:
    if field is None or field.options is None or value is None:
        return value
    labels = {each.id: each.label for each in field.options}
    if isinstance(value, list):
        return [{"id": each, "label": labels.get(each)} for each in value]
    return {"id": value, "label": labels.get(value)}


DEALS = List("deals", partial(_deals, archived=False))
ARCHIVED_DEALS = List("deals", partial(_deals, archived=True))
PERSONS = List("persons", _live)
ORGANIZATIONS = List("organizations", _live)
ACTIVITIES = List("activities", _live, ("id", "update_time", "add_time", "due_date"))
PRODUCTS = List("products", _live, ("id", "name", "add_time", "update_time"))
PIPELINES = List("pipelines", _live, ("id", "update_time", "add_time"))
STAGES = List("stages", _live, ("id", "update_time", "add_time", "order_nr"))
DEAL_PRODUCTS = List("deal_products", _every, ("id", "deal_id", "add_time", "update_time", "order_nr"), "deal_id")
INSTALLMENTS = List("installments", _every, ("id", "billing_date", "deal_id"), "deal_id", "installments")
PROJECTS = List("projects", partial(_projects, archived=False), ("id", "update_time"), feature="projects")
ARCHIVED_PROJECTS = List("projects", partial(_projects, archived=True), ("id", "update_time"), feature="projects")
TASKS = List("tasks", _live, ("id",), feature="projects")


def boards(call: Call) -> Reply:
    """GET boards, without pages."""
    if "projects" in call.quirks.features_off:
        raise feature_off("projects")
    return answer([row for row in call.world.rows("boards") if not row.get("is_deleted")])


def phases(call: Call) -> Reply:
    """GET phases of one board, without pages."""
    if "projects" in call.quirks.features_off:
        raise feature_off("projects")
    board = call.one("board_id")
    if board is None:
        raise bad_request("board_id is required")
    return answer([row for row in call.world.rows("phases") if row["board_id"] == int(board)])


def followers(call: Call) -> Reply:
    """GET deals/{id}/followers."""
    deal = call.number()
    if call.world.get("deals", deal) is None:
        raise not_found("Deal")
    rows = call.world.children("followers", "deal_id").get(deal, [])
    return answer([{"user_id": row["user_id"], "add_time": row["add_time"]} for row in rows], next_cursor=None)


def one(table: str) -> Callable[[Call], Reply]:
    """GET one row of a table, whatever its state."""

    def handler(call: Call) -> Reply:
        row = call.world.get(table, call.number())
        if row is None:
            raise not_found()
        return answer(row)

    return handler


def fields(entity: str) -> Callable[[Call], Reply]:
    """GET the fields of an entity, by cursor."""

    def handler(call: Call) -> Reply:
        limit = v2_limit(call.one("limit"))
        rows = [{"id": n, **each.v2()} for n, each in enumerate(call.world.definitions.by_entity[entity].values())]
        text = call.one("cursor")
        rest = page_after(rows, "id", "asc", None if text is None else call.cursors.read(text, "id", "asc"))
        after = call.cursors.make("id", "asc", rest[limit - 1]) if len(rest) > limit else None
        shown = [{name: value for name, value in row.items() if name != "id"} for row in rest[:limit]]
        return answer(shown, next_cursor=after)

    return handler
