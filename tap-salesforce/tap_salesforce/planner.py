"""Which API reads a stream: REST, whose pages of up to 2,000 rows cost a call each, or a job of the Bulk API 2.0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["BULK", "REST", "ROWS_A_PAGE", "Costs", "choose"]

Api: TypeAlias = Literal["rest", "bulk"]
REST: Api = "rest"
BULK: Api = "bulk"

ROWS_A_PAGE = 2000
"""Rows of a REST page, which Salesforce does not promise: wide rows come in shorter ones."""
ROWS_A_RESULT = 50_000
"""About how many rows a page of a Bulk result has."""
_AROUND_A_JOB = 4
"""Creating, asking whether it is ready, listing its pages, deleting."""


@dataclass(frozen=True)
class Costs:
    """The calls of reading so many rows by either API."""

    rows: int

    @property
    def rest(self) -> int:
        """One for each page; an empty answer is one too."""
        return max(math.ceil(self.rows / ROWS_A_PAGE), 1)

    @property
    def bulk(self) -> int:
        """Those around the job, and one for each page."""
        return _AROUND_A_JOB + max(math.ceil(self.rows / ROWS_A_RESULT), 1)

    def of(self, api: Api) -> int:
        """The calls of one of them."""
        return self.rest if api == REST else self.bulk


def choose(api_type: str, rows: int | None, *, jobs_left: int | None = None, is_cut: bool = False) -> Api:
    """The API for about so many rows; None: unknown, so that REST's first page has to tell.

    `jobs_left` is how many Bulk jobs are left of the day; `is_cut`: the run stops after a few records.
    """
    if api_type == REST or is_cut or jobs_left == 0:
        return REST
    if api_type == BULK:
        return BULK
    return BULK if rows is not None and Costs(rows).bulk < Costs(rows).rest else REST
