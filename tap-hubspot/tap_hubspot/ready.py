"""Pages whose rows are records already, for a stream that reads in more than one way."""

from __future__ import annotations

from dataclasses import dataclass

from crmdb_core.stream import Page


@dataclass(frozen=True)
class ReadyPage(Page):
    """Rows that go out as they are.

    They may lack fields: an absent key says nothing of a value, so a target keeps what it has stored.
    """
