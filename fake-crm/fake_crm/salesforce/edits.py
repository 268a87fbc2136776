"""Edits as people make them in a day, on order: some records change, some are new, some go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.values import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.transaction import Transaction
    from fake_crm.salesforce.values import Row

    Json = dict[str, Any]
    Counts = Mapping[str, Mapping[str, int]]

_ORDERS = ("edit", "create", "delete", "purge", "archive")
_LEAST_LENGTH = 30  # of a text that has room for a mark
_LEAST_DIGITS = 6  # of a number that has room for thousands
_FREE = frozenset({"string", "textarea"})


class Edits:
    """Makes edits in an org, at once or in a transaction that stays open."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._open: dict[int, Transaction] = {}
        self._number = 0

    def make(self, order: Counts) -> Json:
        """`{"edit": {"Account": 40}, "create": {"Lead": 10}, "delete": {"Lead": 5}, "purge": {…}}` → the ids of each.

        `archive` is another word for `delete`. Deleted and purged records are the oldest ones, edited ones are spread
        over the rest, so that they never meet.

        Raises:
            ValueError: for an unknown order or object, or for more records than there are.
        """
        unknown = order.keys() - set(_ORDERS)
        if unknown:
            raise ValueError(f"unknown order {', '.join(sorted(unknown))}; known: {', '.join(_ORDERS)}")
        names = list(dict.fromkeys(name for part in order.values() for name in part))
        return {name: self._of_kind(name, {key: part.get(name, 0) for key, part in order.items()}) for name in names}

    def transaction(self, order: Json) -> Json:
        """`{"begin": {orders as of make}}` → its number and the ids; `{"commit": 1}` or `{"roll_back": 1}` ends it."""
        if "begin" in order:
            self._number += 1
            opened = self._open[self._number] = self._org.transaction()
            with self._org.within(opened):
                return {"transaction": self._number, "edits": self.make(order["begin"])}
        for word in ("commit", "roll_back"):
            if word in order:
                ended = self._open.pop(int(order[word]))
                getattr(ended, word)()
                return {word: int(order[word])}
        raise ValueError("give begin, commit or roll_back")

    def _of_kind(self, name: str, order: Mapping[str, int]) -> Json:
        kind = self._org.schema.find(name)
        rows = self._rows(kind)
        counts = {key: int(value) for key, value in order.items()}
        deleted = counts.get("delete", 0) + counts.get("archive", 0)
        purged, edited = counts.get("purge", 0), counts.get("edit", 0)
        if deleted + purged + edited > len(rows):
            raise ValueError(f"{name} has {len(rows)} records, too few to edit {edited} and remove {deleted + purged}")
        gone, lost, rest = rows[:deleted], rows[deleted : deleted + purged], rows[deleted + purged :]
        chosen = [rest[at * len(rest) // edited] for at in range(edited)]
        return {
            "edited": self._each(chosen, lambda at, row: self._edit(kind, row, at)),
            "created": [self._copy(kind, rest, at) for at in range(counts.get("create", 0))],
            "deleted": self._each(gone, lambda _, row: self._org.delete(kind.name, key_of(row))),
            "purged": self._each(lost, lambda _, row: self._org.purge(kind.name, key_of(row))),
        }

    def _rows(self, kind: SObject) -> list[Row]:
        with self._org.lock:
            return sorted(self._org.table(kind.name).pick(lambda row: not row.get("IsDeleted")), key=key_of)

    @staticmethod
    def _each(rows: Sequence[Row], act: Callable[[int, Row], object]) -> list[str]:
        for at, row in enumerate(rows):
            act(at, row)
        return [key_of(row) for row in rows]

    def _edit(self, kind: SObject, row: Row, at: int) -> None:
        """Change one field, so that it is sure to be another than before."""
        able = [each for each in kind.fields.values() if each.writable and each.filterable]
        numbers = [each.name for each in able if each.type in {"currency", "double"} and _is_roomy(each)]
        texts = [each.name for each in able if each.type in _FREE and each.length >= _LEAST_LENGTH and not each.unique]
        if numbers:
            new = at + 1000
            self._org.update(kind.name, key_of(row), {numbers[0]: new + 1 if row.get(numbers[0]) == new else new})
        elif texts:
            text = str(row.get(texts[0]) or "")
            changed = text.removesuffix("*") if text.endswith("*") else f"{text[: _LEAST_LENGTH - 1]}*"
            self._org.update(kind.name, key_of(row), {texts[0]: changed})
        else:
            self._org.touch(kind.name, key_of(row))

    def _copy(self, kind: SObject, rows: Sequence[Row], at: int) -> str:
        """A new record with the values of an old one; unique ones apart."""
        model = rows[at % len(rows)] if rows else {}
        values = {
            each.name: f"new-{at}-{len(rows)}" if each.unique else model.get(each.name)
            for each in kind.fields.values()
            if each.writable and model.get(each.name) is not None
        }
        return self._org.create(kind.name, values)


def _is_roomy(field: Field) -> bool:
    return field.precision - field.scale >= _LEAST_DIGITS
