"""Edits in bulk over the control door, as people would make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.pipedrive.world import World

    Json = dict[str, Any]
    Counts = Mapping[str, Mapping[str, int]]

_ORDERS = ("edit", "create", "delete", "archive")
_SHELVED = ("deals", "leads", "projects")  # which have an archive
_TITLES = ("title", "name", "subject", "content", "description", "file_name")


@dataclass(frozen=True)
class Edits:
    """Makes edits in a company."""

    world: World

    def make(self, order: Counts) -> Json:
        """`{"edit": {"deals": 5}, "create": {...}, "delete": {...}, "archive": {...}}` → the ids by table and verb.

        Deleted rows are the oldest ones that are neither deleted nor archived, then come the archived and the edited
        ones, so that they never meet.

        Raises:
            ValueError: for an unknown order or table, a table without an archive, or more rows than there are.
        """
        if unknown := sorted(order.keys() - set(_ORDERS)):
            raise ValueError(f"unknown: {', '.join(unknown)} (known: {', '.join(_ORDERS)})")
        with self.world.lock:
            tables = list(dict.fromkeys(table for part in order.values() for table in part))
            counts = {name: {verb: int(part.get(name, 0)) for verb, part in order.items()} for name in tables}
            for table in tables:
                self._check(table, counts[table])
            return {table: self._of_table(table, counts[table]) for table in tables}

    def _check(self, table: str, count: Mapping[str, int]) -> None:
        if table not in (known := self.world.counts()):
            raise ValueError(f"unknown table {table} (known: {', '.join(known)}); name it with --of")
        if count.get("archive") and table not in _SHELVED:
            raise ValueError(f"{table} have no archive (these have: {', '.join(_SHELVED)}); delete them instead")
        wanted = {verb: number for verb, number in count.items() if verb != "create"}
        if sum(wanted.values()) > (there := len(self._at_hand(table))):
            orders = " and ".join(f"{verb} {number}" for verb, number in wanted.items() if number)
            raise ValueError(f"{table} has {there} records, too few to {orders}")

    def _of_table(self, table: str, count: Mapping[str, int]) -> Json:
        rows = iter(self._at_hand(table))

        def each(verb: str, act: Callable[[str, Any], object]) -> list[Any]:
            ids = [next(rows)["id"] for _ in range(count.get(verb, 0))]
            for key in ids:
                act(table, key)
            return ids

        gone, shelved = each("delete", self.world.delete), each("archive", self.world.archive)
        edited = each("edit", self._edit)
        created = [self._create(table) for _ in range(count.get("create", 0))]
        done = {"edited": edited, "created": created, "deleted": gone, "archived": shelved}
        return {verb: ids for verb, ids in done.items() if ids}

    def _at_hand(self, table: str) -> list[Json]:
        return [row for row in self.world.live(table) if not (row.get("is_archived") or row.get("archive_time"))]

    def _edit(self, table: str, key: Any) -> None:
        """Change a deal's value and any other row's title, where it has one, so that it is sure to be another."""
        row = self.world.get(table, key) or {}
        title = next((name for name in _TITLES if isinstance(row.get(name), str)), None)
        change: Json = {}
        if table == "deals":
            change = {"value": (row["value"] or 0) + 100}
        elif title is not None:
            change = {title: _other(row[title])}
        self.world.update(table, key, **change)

    def _create(self, table: str) -> Any:
        key = self.world.create(table)
        row = self.world.get(table, key) or {}
        if title := next((name for name in _TITLES if row.get(name)), None):
            self.world.quietly(table, key, **{title: f"New {row[title]} {key}"})
        return key


def _other(text: str) -> str:
    return text.removesuffix(" (edited)") if text.endswith(" (edited)") else f"{text} (edited)"
