"""Forms and what was submitted with them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import NotFoundError
from crmdb_core.instants import to_millis
from crmdb_core.stream import Page
from tap_hubspot.listing import CursorPage, cursor_pages, list_pages
from tap_hubspot.paths import LEGACY_FORMS, form_submissions
from tap_hubspot.records import deleted_at
from tap_hubspot.streams.fixed import BOOLEAN, FREE, FREE_LIST, INSTANT, TEXT, FixedStream, shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

_FORMS_A_PAGE = 100  # unverified: the most that HubSpot allows
_SUBMISSIONS_A_PAGE = 50  # vendor page "Get submissions for a form"


class FormsStream(FixedStream):
    """Forms of every type, archived ones included."""

    name = "forms"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = shape(
        ["id"],
        name=TEXT,
        formType=TEXT,
        createdAt=INSTANT,
        updatedAt=INSTANT,
        archived=BOOLEAN,
        archivedAt=INSTANT,
        fieldGroups=FREE_LIST,
        configuration=FREE,
        displayOptions=FREE,
        legalConsentOptions=FREE,
        _sdc_deleted_at=INSTANT,
    )

    @override
    def fetch(self) -> Iterator[Page]:
        return form_pages(self.tap)

    @override
    def record_of(self, row: Mapping[str, Any]) -> Record:
        return super().record_of({**row, "_sdc_deleted_at": deleted_at(row)})


def form_pages(tap: TapHubSpot) -> Iterator[Page]:
    """All forms, live ones first; where the dated beta is not open, `legacy` reads them from v3."""
    try:
        yield from _form_pages(tap, tap.paths.forms)
    except NotFoundError as error:  # of its first call: an unknown cursor would be a 400
        if not tap.config["legacy"]:
            msg = "HubSpot's dated forms API is a beta and not open here; set legacy to read forms from v3"
            raise NotFoundError(msg, method=error.method, path=error.path, status=error.status) from None
        yield from _form_pages(tap, LEGACY_FORMS)


def _form_pages(tap: TapHubSpot, path: str) -> Iterator[Page]:
    for archived in ("false", "true"):
        # without formTypes only those that were made with HubSpot's own editor
        yield from list_pages(tap.session, path, limit=_FORMS_A_PAGE, formTypes="all", archived=archived)


class FormSubmissionsStream(FixedStream):
    """Submissions, form by form, the newest first, back to where the window begins.

    A form costs one call even if nothing was submitted. A resume point is the form and the cursor within. A submission
    that was sent with an earlier `submittedAt` than the window's (the API allows a month) comes with a full refresh.
    """

    name = "form_submissions"
    primary_keys = ("formId", "conversionId")
    replication_key = "submittedAt"
    schema: ClassVar[dict[str, Any]] = shape(
        ["formId", "conversionId"], submittedAt=INSTANT, pageUrl=TEXT, values=FREE_LIST
    )

    @override
    def fetch(self) -> Iterator[Page]:
        point = self.resume_point or {}
        reached, after = str(point.get("form_id", "")), str(point.get("after", ""))
        for form_id in sorted({row["id"] for page in form_pages(self.tap) for row in page.rows}):
            if form_id < reached or (form_id == reached and not after):
                continue
            yield from self._of_form(form_id, after if form_id == reached else "")

    def _of_form(self, form_id: str, after: str) -> Iterator[Page]:
        low = None if self.window.low is None else to_millis(self.window.low)
        high = to_millis(self.window.high)
        for page in self._pages_of(form_id, after):
            times = [int(row["submittedAt"]) for row in page.rows]
            rows = [
                {"formId": form_id, **row}
                for at, row in zip(times, page.rows, strict=True)
                if at < high and (low is None or at >= low)
            ]
            is_last = not page.after or (low is not None and bool(times) and times[-1] < low)
            yield Page(rows, {"form_id": form_id, "after": "" if is_last else page.after})
            if is_last:
                return

    def _pages_of(self, form_id: str, after: str) -> Iterator[CursorPage]:
        path = form_submissions(form_id)
        try:
            yield from cursor_pages(self.tap.session, path, limit=_SUBMISSIONS_A_PAGE, after=after)
        except NotFoundError:  # the form was deleted, or is of a type without submissions
            return

    @override
    def record_of(self, row: Mapping[str, Any]) -> Record:
        return super().record_of({**row, "conversionId": row.get("conversionId") or _fingerprint(row)})


def _fingerprint(row: Mapping[str, Any]) -> str:
    """What stands for a missing conversionId; unverified: whether submissions from before it came have one."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()


def form_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """The one stream of forms."""
    return [FormsStream(tap)]
