"""Where a read stands, as STATE keeps it: what is left, and the cursor or the job that is being read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tap_salesforce.parts import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["JobPoint", "Standing", "job_in"]

_LOCATOR = re.compile(r"/services/data/v\d{2,3}\.\d/query(?:All)?/[\w-]{5,100}")
_JOB = re.compile(r"[A-Za-z0-9]{15,18}")
_VERSION = re.compile(r"\d{2,3}\.\d")
_RESULT = re.compile(r"[\w=.~-]{1,200}")


@dataclass(frozen=True)
class JobPoint:
    """A job of the Bulk API and how far its result was read: whole pages, the next page's locator, rows of that page.

    Results are kept for 7 days and have to be read with the `version` that made the job, else 409 (vendor page "Get
    Results for a Query Job").
    """

    id: str
    version: str
    pages: int = 0
    locator: str | None = None
    rows: int = 0

    def to_state(self) -> dict[str, Any]:
        """The JSON form."""
        return {"id": self.id, "version": self.version, "pages": self.pages, "locator": self.locator, "rows": self.rows}

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> JobPoint:
        """Read the JSON form; raises ValueError, KeyError or TypeError for anything else."""
        pages, rows = saved["pages"], saved["rows"]
        if not (type(pages) is type(rows) is int and pages >= 0 and rows >= 0):
            raise ValueError("no numbers")
        locator = saved["locator"]
        job, version = _checked(_JOB, saved["id"]), _checked(_VERSION, saved["version"])
        return cls(job, version, pages, None if locator is None else _checked(_RESULT, locator), rows)


def job_in(saved: Any) -> JobPoint | None:
    """The job that an interrupted run left in STATE; None where there is none, or nobody can tell."""
    try:
        return JobPoint.of(saved["point"]["job"])
    except (KeyError, ValueError, TypeError):
        return None


@dataclass(frozen=True)
class Standing:
    """What is left of a read of one query: parts, of which the first is under way by a cursor of REST or by a job."""

    query: str
    parts: tuple[Part, ...]
    cursor: str | None = None
    job: JobPoint | None = None

    def to_state(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "query": self.query,
            "parts": [each.to_state() for each in self.parts],
            **({"cursor": self.cursor} if self.cursor else {}),
            **({"job": self.job.to_state()} if self.job else {}),
        }

    @classmethod
    def of(cls, saved: Any, query: str) -> Standing | None:
        """Read the JSON form, if it is one and of this query; else None: what it stands for is read anew."""
        try:
            if saved["query"] != query:
                return None
            parts = tuple(Part.of(each) for each in saved["parts"])
            cursor = _checked(_LOCATOR, saved["cursor"]) if "cursor" in saved else None
            job = JobPoint.of(saved["job"]) if "job" in saved else None
        except (KeyError, ValueError, TypeError, IndexError):
            return None
        return cls(query, parts, cursor, job)

    def at(self, part: Part, *, cursor: str | None = None, job: JobPoint | None = None) -> Standing:
        """The same, with the first part as it now is."""
        return replace(self, parts=(part, *self.parts[1:]), cursor=cursor, job=job)

    def done(self) -> Standing:
        """The same without its first part."""
        return replace(self, parts=self.parts[1:], cursor=None, job=None)

    def split(self, pieces: Sequence[Part]) -> Standing:
        """The same with its first part in pieces."""
        return replace(self, parts=(*pieces, *self.parts[1:]), cursor=None, job=None)


def _checked(form: re.Pattern[str], text: Any) -> str:
    if not form.fullmatch(text):
        raise ValueError("not of the form that it should have")
    return str(text)
