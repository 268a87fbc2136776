"""The company's data: rows of every table, edited as people edit them, and the changelog that edits leave."""

from __future__ import annotations

import copy
import json
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.clock import instant_of, iso
from fake_crm.pipedrive.definitions import Definitions
from fake_crm.pipedrive.shapes import DEFAULTS, MILLIS, OWN_FIELDS, TEXT_IDS, UUIDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fake_crm.clock import Clock
    from fake_crm.pipedrive.quirks import Quirks

Json = dict[str, Any]
Key = int | str

_UNLOGGED = frozenset({"update_time", "stage_change_time", "add_time"})


@dataclass
class Row:
    """One row; `before` is what lists show until `seen_at`, where the account lags."""

    values: Json
    seen_at: int
    before: Json | None = None
    text: str | None = None


class World:
    """One company. All stamps are of the fake's clock; a deleted or archived row stays, as its flags say."""

    def __init__(self, clock: Clock, quirks: Quirks) -> None:
        self.lock = threading.RLock()
        self.quirks = quirks
        self.definitions = Definitions()
        self.company = {"company_id": 1, "company_name": "Fake", "company_domain": "fake"}
        self._clock = clock
        self._tables: dict[str, dict[Key, Row]] = {name: {} for name in DEFAULTS}
        self._next: dict[str, int] = defaultdict(int)
        self._revision: dict[str, int] = defaultdict(int)
        self._sorted: dict[tuple[str, str], tuple[int, list[Json]]] = {}
        self._children: dict[str, tuple[int, dict[Key, list[Json]]]] = {}
        self.changelog: dict[int, list[Json]] = defaultdict(list)
        self.merged: dict[str, dict[Key, Key]] = defaultdict(dict)

    # -- reading ----------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Milliseconds of the fake's clock."""
        return self._clock.millis()

    def stamp(self, table: str = "deals") -> str:
        """Now, as rows of this table have it."""
        return stamp_of(self.now(), table)

    def get(self, table: str, key: Key) -> Json | None:
        """A row as it is, whatever lists show."""
        row = self._tables[table].get(key)
        return None if row is None else row.values

    def rows(self, table: str) -> list[Json]:
        """Every row as it is, deleted and archived ones included, by id."""
        with self.lock:
            return [row.values for row in self._tables[table].values()]

    def live(self, table: str) -> list[Json]:
        """The rows that a complete list has: archived ones included, deleted ones not."""
        return [row for row in self.rows(table) if not is_deleted(row)]

    def seen(self, table: str, sort_by: str = "id") -> list[Json]:
        """What lists know of a table, ascending by a field and the id; rows without a value come first."""
        with self.lock:
            known = self._sorted.get((table, sort_by))
            if known is not None and known[0] == self._revision[table] and not self.quirks.lag:
                return known[1]
            found = sorted(self._visible(table), key=sort_key(sort_by))
            self._sorted[table, sort_by] = (self._revision[table], found)
            return found

    def children(self, table: str, parent: str) -> Mapping[Key, list[Json]]:
        """The rows of a table by their parent's id."""
        with self.lock:
            known = self._children.get(table)
            if known is not None and known[0] == self._revision[table]:
                return known[1]
            found: dict[Key, list[Json]] = defaultdict(list)
            for row in self._tables[table].values():
                found[row.values[parent]].append(row.values)
            self._children[table] = (self._revision[table], found)
            return found

    def _visible(self, table: str) -> Iterable[Json]:
        now = self.now()
        for row in self._tables[table].values():
            shown = row.values if now >= row.seen_at else row.before
            if shown is not None:
                yield shown

    def text_of(self, table: str, values: Json) -> str:
        """A row as JSON; it is made once as long as the row stays as it is."""
        row = self._tables[table].get(values["id"])
        if row is None or row.values is not values:
            return json.dumps(values, separators=(",", ":"))
        if row.text is None:
            row.text = json.dumps(values, separators=(",", ":"))
        return row.text

    def counts(self) -> dict[str, int]:
        """How many live rows each table has."""
        return {name: len(self.live(name)) for name in self._tables}

    # -- writing ----------------------------------------------------------------------------------------------------

    def create(self, table: str, **values: Any) -> Any:
        """Make a row; returns its id. `custom_fields` are by code."""
        with self.lock:
            key = values.pop("id", None)
            key = self._new_key(table) if key is None else key
            stamp = self.stamp(table)
            row = {"id": key, **copy.deepcopy(DEFAULTS[table]), **self._stamps(table, stamp), **values}
            if table in OWN_FIELDS:
                row.setdefault("custom_fields", {})
            self._put(table, key, row)
            if table == "deals":
                self._log(key, "add_time", None, row["add_time"], row["add_time"])
            return key

    def update(self, table: str, key: Key, **values: Any) -> None:
        """Change a row as a person does: its stamp moves, and the changelog of a deal tells."""
        with self.lock:
            old = self._tables[table][key].values
            new = {**copy.deepcopy(old), **values}
            if "custom_fields" in values:
                new["custom_fields"] = {**old["custom_fields"], **values["custom_fields"]}
            if "update_time" not in values and "update_time" in old:
                new["update_time"] = self.stamp(table)
            if table == "deals":
                self._moved(old, new)
            self._put(table, key, new)

    def quietly(self, table: str, key: Key, **values: Any) -> None:
        """Change a row without moving its stamp, as the vendor does for calculated values."""
        with self.lock:
            self._put(table, key, {**self._tables[table][key].values, **values})

    def delete(self, table: str, key: Key) -> None:
        """Delete a row: a deal is listed as deleted for 30 days, others are in no list any more."""
        with self.lock:
            row = self._tables[table][key].values
            if table == "deals":
                self.update(table, key, is_deleted=True, status="deleted")
            elif table == "projects":
                self.update(table, key, status="deleted")
            elif "is_deleted" in row:
                self.update(table, key, is_deleted=True)
            elif "active_flag" in row and table != "participants":
                self.update(table, key, active_flag=False)
            else:
                self.purge(table, key)

    def purge(self, table: str, key: Key) -> None:
        """Take a row away without a trace."""
        with self.lock:
            del self._tables[table][key]
            self._revision[table] += 1

    def archive(self, table: str, key: Key, *, archived: bool = True) -> None:
        """Put a deal, lead or project into the archive, or take it out."""
        more = {"archive_time": self.stamp(table) if archived else None} if table != "leads" else {}
        flag = {} if table == "projects" else {"is_archived": archived}
        self.update(table, key, **flag, **more)

    def merge(self, table: str, loser: Key, winner: Key) -> None:
        """Merge one row into another: the loser is deleted, the winner updated."""
        with self.lock:
            self.delete(table, loser)
            self.merged[table][loser] = winner
            self.update(table, winner)

    # -- within -----------------------------------------------------------------------------------------------------

    def _put(self, table: str, key: Key, values: Json) -> None:
        old = self._tables[table].get(key)
        now, lag = self.now(), self.quirks.lag
        before = None
        if old is not None:
            before = old.values if now >= old.seen_at else old.before
        self._tables[table][key] = Row(values, now + round(lag * 1000), before if lag else None)
        self._revision[table] += 1

    def _new_key(self, table: str) -> Key:
        self._next[table] += 1
        number = self._next[table]
        if table in UUIDS:
            return str(uuid.UUID(int=(hash_of(table) << 64) + number))
        return f"{table[:3]}-{number:06}" if table in TEXT_IDS else number

    def _stamps(self, table: str, stamp: str) -> Json:
        if table == "users":
            return {"created": stamp, "modified": stamp}
        if table in {"roles", "permission_sets", "currencies", "lead_sources", "goals", "call_logs", "installments"}:
            return {}
        return (
            {"add_time": stamp} if table in {"participants", "followers"} else {"add_time": stamp, "update_time": stamp}
        )

    def _moved(self, old: Json, new: Json) -> None:
        """What follows of a deal's change, and its changelog."""
        stamp = new["update_time"]
        if new["stage_id"] != old["stage_id"]:
            new["stage_change_time"] = stamp
        if new["status"] != old["status"] and new["status"] in {"won", "lost"}:
            new[f"{new['status']}_time"] = new["close_time"] = stamp
            new[f"local_{new['status']}_date"] = new["local_close_date"] = stamp[:10]
        for name in sorted(new.keys() - _UNLOGGED - {"custom_fields"}):
            if new[name] != old.get(name):
                self._log(new["id"], name, old.get(name), new[name], stamp)
        for code, value in new["custom_fields"].items():
            if value != old["custom_fields"].get(code):
                self._log(new["id"], code, old["custom_fields"].get(code), value, stamp)

    def _log(self, deal: Any, key: str, old: Any, new: Any, stamp: str) -> None:
        text = [None if each is None else str(each) for each in (old, new)]
        entry = {
            "field_key": key, "old_value": text[0], "new_value": text[1], "actor_user_id": 1,
            "time": stamp.replace("T", " ").rstrip("Z"), "change_source": "app", "change_source_user_agent": "Mozilla",
            "is_bulk_update_flag": False,
        }  # fmt: skip
        self.changelog[deal].append(entry)


def stamp_of(millis: int, table: str) -> str:
    """An instant as rows of a table have it: with milliseconds or, cut off, without."""
    if table in MILLIS:
        return iso(millis)
    return instant_of(millis).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_deleted(row: Mapping[str, Any]) -> bool:
    """Whether a row is deleted, by whichever flag it has."""
    return bool(row.get("is_deleted")) or row.get("active_flag") is False or row.get("status") == "deleted"


def sort_key(name: str) -> Callable[[Json], tuple[Any, ...]]:
    """Sorts rows by a field, those without first, then by id."""
    if name == "id":
        return lambda row: (row["id"],)
    return lambda row: (row.get(name) is not None, row.get(name) or "", row["id"])


def hash_of(text: str) -> int:
    """A number of a text that is the same in every process."""
    return int.from_bytes(text.encode()[:7].ljust(7, b"\0"), "big")
