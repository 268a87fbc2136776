"""Transactions that stay open: what they wrote is seen late, with the stamps of when it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from typing_extensions import override

from fake_crm.salesforce.values import key_of
from fake_crm.salesforce.writes import Writes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.values import Row


class Transaction(Writes):
    """Edits that become visible together, at `commit`; `roll_back` forgets them."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.schema = org.schema
        self.began = org.clock.millis()
        self._rows: dict[tuple[str, str], Row | None] = {}
        self._deletions: list[tuple[str, str, int | None]] = []
        self._block: AbstractContextManager[None] | None = None

    def commit(self) -> None:
        """Let everybody see the edits."""
        with self._org.lock:
            self._org.close(self)
            for (name, key), row in self._rows.items():
                if row is None:
                    self._org.table(name).drop(key)
                else:
                    self._org.table(name).put(row)
            for name, key, at in self._deletions:
                self._org.note_deletion(name, key, at)

    def roll_back(self) -> None:
        """Forget the edits."""
        self._org.close(self)

    def holds(self, name: str, key: str) -> bool:
        """Whether it has written a record."""
        return (name, key) in self._rows

    def __enter__(self) -> Self:
        self._block = self._org.within(self)
        self._block.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._block is not None
        self._block.__exit__(kind, error, trace)
        if kind is None:
            self.commit()
        else:
            self.roll_back()

    @override
    def _get(self, name: str, key: str) -> Row | None:
        return self._rows[name, key] if self.holds(name, key) else self._org.table(name).get(key)

    @override
    def _put(self, name: str, row: Row) -> None:
        with self._org.lock:
            self._org.check_unlocked(name, key_of(row), self)
            self._rows[name, key_of(row)] = row

    @override
    def _drop(self, name: str, key: str) -> None:
        with self._org.lock:
            self._org.check_unlocked(name, key, self)
            self._rows[name, key] = None

    @override
    def _next_number(self, name: str) -> int:
        return self._org._next_number(name)  # noqa: SLF001 - one family

    @override
    def _millis(self) -> int:
        return self._org.clock.millis()

    @override
    def _user(self) -> str:
        return self._org._user()  # noqa: SLF001 - one family

    @override
    def _note_deletion(self, name: str, key: str, *, undone: bool = False) -> None:
        self._deletions.append((name, key, None if undone else self._millis()))

    @override
    def _pointing_at(self, name: str, keys: set[str]) -> list[tuple[str, str, str]]:
        return self._org._pointing_at(name, keys)  # noqa: SLF001 - one family
