"""What may differ between portals, or is not known for sure; all can be changed while the fake runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Quirks:
    """Settings of the fake HubSpot's ways.

    `search_lag`: seconds until a write shows in searches. `ids_as_text`: searches and lists compare and sort ids as
    text ("99" > "100"), which some connectors suspect; unverified. `short_every`, `empty_every`: every n-th page of
    a list or search holds half its rows, or none, and a valid cursor. `association_page`: links per record and page of
    an associations batch read (unverified). `url_limit`: characters of path and query until 414 (16,200 was seen).
    `scope_key`: where a 403 names the scopes. `retry_after`: whether a 429 says how long to wait (often it does not).
    `ignore_unknown_query`: answer a request whose URL has parameters that the path does not know, as the live API seems
    to do (MeltanoLabs' tap-hubspot has long sent it some); refusing them finds misspelt ones.
    `cursors_as_numbers`: `paging.next.after` is a number, not text (both were seen).
    `rotate_refresh_tokens`: each refresh gives a new refresh token and ends the old one (HubSpot keeps it stable).
    `switched_off`: the status for an object type that is not switched on (unverified). `unsearchable`: names of object
    types whose search is refused (unverified). `archived_pipelines`: whether archived pipelines and stages are still
    listed (unverified). `settings_in_beta`: users and teams are under `2026-09-beta` only, as they were before release.
    """

    search_lag: float = 0.0
    ids_as_text: bool = False
    short_every: int = 0
    empty_every: int = 0
    association_page: int = 500
    url_limit: int = 16_200
    search_cap: int = 10_000
    scope_key: str = "requiredScopes"
    retry_after: bool = False
    ignore_unknown_query: bool = False
    cursors_as_numbers: bool = False
    rotate_refresh_tokens: bool = False
    switched_off: int = 403
    unsearchable: tuple[str, ...] = ()
    archived_pipelines: bool = False
    settings_in_beta: bool = False
    pages: int = 0

    def next_page(self) -> float:
        """The share of its rows that the next page gives: 1, a half or 0."""
        self.pages += 1
        if self.empty_every and self.pages % self.empty_every == 0:
            return 0.0
        return 0.5 if self.short_every and self.pages % self.short_every == 0 else 1.0

    def cursor(self, text: str) -> str | int:
        """A cursor as it is sent."""
        is_number = text.isdecimal() and not text.startswith("0")  # one of an empty page has a zero more
        return int(text) if self.cursors_as_numbers and is_number else text
