"""API v1: lists with start and limit, and those without pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.pipedrive.call import answer
from fake_crm.pipedrive.definitions import v1_values
from fake_crm.pipedrive.errors import bad_request, not_found
from fake_crm.pipedrive.lists_v2 import instant_param
from fake_crm.pipedrive.paging import v1_page, v2_limit
from fake_crm.pipedrive.shapes import MILLIS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fake_crm.pipedrive.call import Call
    from fake_crm.wire import Reply

    Json = dict[str, Any]

PAGE = frozenset({"start", "limit"})
_MOST_ROWS = 500


@dataclass(frozen=True)
class List:
    """A list of v1: its table, which rows it has, by what it sorts; `most` rows a page, None: all at once."""

    table: str
    keep: Callable[[Json], bool] = lambda _: True
    sorts: tuple[str, ...] = ()
    default: str = "id"
    most: int | None = _MOST_ROWS

    def __call__(self, call: Call) -> Reply:
        """One page."""
        since = instant_param(call, "updated_since")
        rows = [row for row in self._sorted(call) if self.keep(row) and _is_since(row, since)]
        if self.most is None:
            return answer([shown(call, self.table, row) for row in rows] or None)
        page, told = v1_page(rows, call.one("start"), call.one("limit"), self.most)
        found = [shown(call, self.table, row) for row in page] or None  # an empty list of v1 is null
        return answer(found) if call.quirks.without_pagination else answer(found, pagination=told)

    def _sorted(self, call: Call) -> Sequence[Json]:
        name, _, direction = (call.one("sort") or self.default).partition(" ")
        if name not in {self.default, *self.sorts} or direction.upper() not in {"", "ASC", "DESC"}:
            raise bad_request("sort is a field, and ASC or DESC")
        rows = call.world.seen(self.table, name)
        return rows[::-1] if direction.upper() == "DESC" else rows


def _is_since(row: Json, since: str | None) -> bool:
    stamp = row.get("update_time") or ""
    return since is None or stamp[:19] >= since[:19]


def shown(call: Call, table: str, row: Json) -> Json:
    """A row in v1's shape: stamps with a blank, a lead's own fields at the root."""
    if table in MILLIS:
        custom = row.get("custom_fields")
        plain = {name: value for name, value in row.items() if name != "custom_fields"}
        return plain if custom is None else {**plain, **v1_values(call.world.definitions.custom("deal"), custom)}
    stamps = {
        name: row[name].replace("T", " ").rstrip("Z")
        for name in ("add_time", "update_time", "created", "modified")
        if isinstance(row.get(name), str)
    }
    return {**row, **stamps, **({"url": f"{call.base}/v1/files/{row['id']}/download"} if table == "files" else {})}


_LEAD_SORTS = ("title", "owner_id", "was_seen", "expected_close_date", "next_activity_id", "add_time", "update_time")
LEADS = List("leads", lambda row: not row["is_archived"], (*_LEAD_SORTS, "id"), "add_time")
ARCHIVED_LEADS = List("leads", lambda row: row["is_archived"], (*_LEAD_SORTS, "id"), "add_time")
NOTES = List("notes", lambda row: row["active_flag"], ("user_id", "deal_id", "add_time", "update_time"))
FILES = List("files", lambda row: row["active_flag"], ("update_time",), most=100)
USERS = List("users", most=None)
ROLES = List("roles", lambda row: row["active_flag"])
PERMISSION_SETS = List("permission_sets", most=None)
FILTERS = List("filters", lambda row: row["active_flag"], most=None)
CURRENCIES = List("currencies", most=None)
ACTIVITY_TYPES = List("activity_types", most=None)
LEAD_LABELS = List("lead_labels", most=None)
CALL_LOGS = List("call_logs", most=50)


def lead_sources(call: Call) -> Reply:
    """GET leadSources: names only."""
    return answer([{"name": row["name"]} for row in call.world.rows("lead_sources")])


def goals(call: Call) -> Reply:
    """GET goals/find, in the envelope of a service of its own."""
    return answer({"goals": call.world.rows("goals")})


def mail_threads(call: Call) -> Reply:
    """GET mailbox/mailThreads of one folder, the one with the latest message first."""
    folder = call.one("folder")
    if folder not in {"inbox", "drafts", "sent", "archive"}:
        raise bad_request("folder must be inbox, drafts, sent or archive")
    rows = [row for row in call.world.seen("mail_threads", "last_message_timestamp")[::-1] if folder in row["folders"]]
    page, told = v1_page(rows, call.one("start"), call.one("limit"), _MOST_ROWS)
    return answer(list(page) or None, pagination=told)


def mail_messages(call: Call) -> Reply:
    """GET the messages of a thread."""
    thread = call.number()
    if call.world.get("mail_threads", thread) is None:
        raise not_found("Mail thread")
    return answer([row for row in call.world.rows("mail_messages") if row["mail_thread_id"] == thread] or None)


def participants(call: Call) -> Reply:
    """GET deals/{id}/participants, the person as an object."""
    deal = call.number()
    if call.world.get("deals", deal) is None:
        raise not_found("Deal")
    rows = [_participant(call, row) for row in call.world.children("participants", "deal_id").get(deal, [])]
    page, told = v1_page(rows, call.one("start"), call.one("limit"), _MOST_ROWS)
    return answer(list(page) or None, pagination=told)


def _participant(call: Call, row: Json) -> Json:
    person = call.world.get("persons", row["person_id"]) or {"id": row["person_id"], "name": "Person"}
    return {
        "id": row["id"],
        "person_id": {"active_flag": True, "name": person["name"], "email": [], "phone": [], "value": person["id"]},
        "add_time": row["add_time"].replace("T", " ").rstrip("Z"),
        "active_flag": row["active_flag"],
        "related_item_data": {"deal_id": row["deal_id"], "title": "Deal"},
        "person": {"id": person["id"], "name": person["name"]},
        "added_by_user_id": {"id": 1, "name": "User", "email": "user@example.com", "value": 1},
        "related_item_type": "deal",
        "related_item_id": row["deal_id"],
    }


def changelog(call: Call) -> Reply:
    """GET deals/{id}/changelog: the latest change first, by cursor."""
    deal = call.number()
    if call.world.get("deals", deal) is None:
        raise not_found("Deal")
    entries = [{"id": n, **each} for n, each in enumerate(call.world.changelog[deal][::-1])]
    text = call.one("cursor")
    begin = 0 if text is None else call.cursors.read(text, "id", "asc")[1] + 1
    limit = v2_limit(call.one("limit"))
    page = entries[begin : begin + limit]
    after = call.cursors.make("id", "asc", page[-1]) if begin + limit < len(entries) else None
    rows = [{name: value for name, value in each.items() if name != "id"} for each in page]
    return answer(rows, next_cursor=after)


def fields(entity: str) -> Callable[[Call], Reply]:
    """GET the fields of an entity; leads have the deals' own."""

    def handler(call: Call) -> Reply:
        if entity in call.world.definitions.by_entity:
            rows = [each.v1() for each in call.world.definitions.by_entity[entity].values()]
            page, told = v1_page(rows, call.one("start"), call.one("limit"), _MOST_ROWS)
            return answer(list(page), pagination=told)
        custom = call.world.definitions.custom("deal").values() if entity == "lead" else ()
        built_in = {"id": 1, "key": "content" if entity == "note" else "title", "name": "Title", "order_nr": 1}
        first = {**built_in, "field_type": "varchar", "active_flag": True, "edit_flag": False, "options": None}
        rows = [first, *(each.v1() for each in custom)]
        page, told = v1_page(rows, call.one("start"), call.one("limit"), _MOST_ROWS)
        return answer(list(page), pagination=told)

    return handler


def deal_products(call: Call) -> Reply:
    """GET deals/{id}/products, out of support since August 2026, but still answered."""
    rows = call.world.children("deal_products", "deal_id").get(call.number(), [])
    page, told = v1_page(rows, call.one("start"), call.one("limit"), _MOST_ROWS)
    return answer([shown(call, "deal_products", row) for row in page] or None, pagination=told)


def me(call: Call) -> Reply:
    """GET users/me: the user of the token and the company."""
    user = call.world.get("users", 1) or {"id": 1, "name": "User"}
    return answer({**user, **call.world.company})


def summary(call: Call) -> Reply:
    """GET deals/summary; only its counts are told here."""
    live = [row for row in call.world.rows("deals") if not row["is_deleted"] and not row["is_archived"]]
    wanted = call.one("status")
    found = [row for row in live if wanted in {None, row["status"]}]
    return answer({"total_count": len(found), "values_total": {}})
