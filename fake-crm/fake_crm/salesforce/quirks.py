"""What may differ between orgs, or is not known for sure; all can be changed while the fake runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Quirks:
    """Settings of the fake Salesforce's ways.

    `bursts`: the limit header has today's second part, `api-bursts`. `per_app`: it has the older one. `page_rows`:
    the most rows of a REST page; `page_bytes`: a page is cut when its rows are longer (wide rows make it short).
    `short_every`: every n-th REST page has half its rows. `live_pages`: later pages of a query show rows as they are
    then, not as they were at its start (unverified which). `cursor_seconds`: how long locators of REST live.
    `session_seconds`: how long a token lives without use. `rotate_refresh_tokens`: each refresh gives a new refresh
    token, and the old one once more ends the grant. `my_domain`: the token endpoint stands for an org's own host; on
    login.salesforce.com the client credentials flow is refused. `password_flow`: whether the org still allows it.
    `uri_limit`: bytes of URI and headers until 414 or 431. `recount_seconds`: how old record counts may be.
    `view_setup`: whether the user may see them. `bulk_seconds`: how long a Bulk job runs (of the fake's clock);
    before that it waits as long, a minute at most; `bulk_polls`: how many looks at it find it not over, whatever the
    clock says. `bulk_page`: rows of a page of results where the caller does not say; `bulk_chunk`: rows of each of
    `resultPages`. `bulk_shuffle`: rows come in no order, as from chunks that ran side by side. `whole_as_double`:
    which whole numbers CSV writes with a fraction: `zero` (0.0 was seen by other taps), `even` or `never`.
    `bulk_denied`: names of objects that Bulk refuses beside those known. `slow_objects`: queries of these time out
    when they would give more rows than the number. `gzip`: whether answers are compressed when asked.
    `oldest_version`, `newest_version`, `retired`: what the org offers, what is gone (410) and below; `deprecated`: up
    to which a warning header is sent.
    """

    bursts: bool = True
    per_app: bool = False
    page_rows: int = 2000
    page_bytes: int = 6_000_000
    short_every: int = 0
    live_pages: bool = False
    cursor_seconds: float = 2 * 86_400
    session_seconds: float = 7_200
    rotate_refresh_tokens: bool = False
    my_domain: bool = True
    password_flow: bool = True
    uri_limit: int = 16_384
    recount_seconds: float = 0
    view_setup: bool = True
    bulk_seconds: float = 0
    bulk_polls: int = 1
    bulk_page: int = 50_000
    bulk_chunk: int = 10_000
    bulk_shuffle: bool = True
    whole_as_double: str = "zero"
    bulk_denied: tuple[str, ...] = ()
    slow_objects: tuple[tuple[str, int], ...] = ()
    gzip: bool = True
    oldest_version: int = 31
    newest_version: int = 68
    retired: int = 30
    deprecated: int = 40
    pages: int = 0

    def next_page(self, rows: int) -> int:
        """How many rows the next page gives, of so many that it might."""
        self.pages += 1
        short = self.short_every and self.pages % self.short_every == 0
        return max(1, rows // 2) if short else rows
