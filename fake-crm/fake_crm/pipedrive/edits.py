"""Edits in bulk over the control door, as people would make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.pipedrive.world import World

    Json = dict[str, Any]


@dataclass(frozen=True)
class Edits:
    """`{"edit": {"deals": 5}, "create": {...}, "delete": {...}, "archive": {...}}`: the first so many live rows."""

    world: World

    def make(self, order: Json) -> Json:
        """Do what is ordered; the ids by table and verb."""
        verbs: dict[str, Callable[[str, int], list[Any]]] = {
            "edit": self._edit,
            "create": self._create,
            "delete": self._delete,
            "archive": self._archive,
        }
        if unknown := sorted(order.keys() - verbs.keys()):
            raise ValueError(f"unknown: {', '.join(unknown)} (known: {', '.join(verbs)})")
        done: Json = {}
        with self.world.lock:
            for verb, tables in order.items():
                for table, count in tables.items():
                    done.setdefault(table, {})[verb] = verbs[verb](table, int(count))
        return done

    def _first(self, table: str, count: int) -> list[Any]:
        rows = [row for row in self.world.live(table) if not row.get("is_archived")]
        return [row["id"] for row in rows[:count]]

    def _edit(self, table: str, count: int) -> list[Any]:
        for key in (ids := self._first(table, count)):
            self.world.update(table, key)
        return ids

    def _create(self, table: str, count: int) -> list[Any]:
        return [self.world.create(table) for _ in range(count)]

    def _delete(self, table: str, count: int) -> list[Any]:
        for key in (ids := self._first(table, count)):
            self.world.delete(table, key)
        return ids

    def _archive(self, table: str, count: int) -> list[Any]:
        for key in (ids := self._first(table, count)):
            self.world.archive(table, key)
        return ids
