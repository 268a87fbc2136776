"""Notes and files: lists of v1 by the time of the last update."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_pipedrive.client import PipedriveStream, fields, without_names
from tap_pipedrive.reading import OffsetChain, OffsetReader, seconds
from tap_pipedrive.shapes import BOOLEAN, INSTANT, INTEGER, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmdb_core.stream import Page
    from tap_pipedrive.shapes import Record

_LINKS = fields(deal_id=INTEGER, person_id=INTEGER, org_id=INTEGER, lead_id=TEXT, project_id=INTEGER)
_STAMPS = fields(add_time=INSTANT, update_time=INSTANT)


class _UpdatedStream(PipedriveStream):
    """A list of v1 that sorts by update; what is joined for people's eyes is left out."""

    replication_key = "update_time"
    sweeps = True
    most: ClassVar[int] = 500
    joined: ClassVar[Sequence[str]] = ()

    def chain(self) -> OffsetChain:
        """What the window takes."""
        raise NotImplementedError

    @override
    def pages(self) -> Iterator[Page]:
        if not self.window.is_empty:
            size = min(self.most, int(self.config["page_size"]))
            reader = OffsetReader(self.tap.session, [self.chain()], size)
            yield from reader.pages(self.resume_point)
            self.unreadable = reader.unreadable

    @override
    def record_of(self, row: Record) -> Record:
        return super().record_of(without_names(row, self.joined))


class NotesStream(_UpdatedStream):
    """Notes."""

    name, path, keys = "notes", "/v1/notes", fields(id=INTEGER)
    joined = ("deal", "organization", "person", "project", "user", "lead", "task")
    properties = fields(
        content=TEXT, user_id=INTEGER, last_update_user_id=INTEGER, active_flag=BOOLEAN, pinned_to_lead_flag=BOOLEAN,
        pinned_to_deal_flag=BOOLEAN, pinned_to_organization_flag=BOOLEAN, pinned_to_person_flag=BOOLEAN,
        pinned_to_project_flag=BOOLEAN, **_LINKS, **_STAMPS,
    )  # fmt: skip

    @override
    def chain(self) -> OffsetChain:
        low = self.window.low
        if low is None:
            return OffsetChain(self.path, {"sort": "update_time ASC"})
        params = {"sort": "update_time ASC", "updated_since": seconds(low)}
        return OffsetChain(self.path, params, until=self.window.high)


class FilesStream(_UpdatedStream):
    """What files there are, not what is in them. The list knows no `updated_since`: a delta reads its newest."""

    name, path, keys = "files", "/v1/files", fields(id=INTEGER)
    most = 100
    joined = ("deal_name", "lead_name", "org_name", "person_name", "product_name", "project_name")
    properties = fields(
        user_id=INTEGER, product_id=INTEGER, activity_id=INTEGER, log_id=INTEGER, name=TEXT, description=TEXT,
        file_name=TEXT, file_type=TEXT, file_size=INTEGER, active_flag=BOOLEAN, inline_flag=BOOLEAN,
        remote_location=TEXT, remote_id=TEXT, cid=TEXT, s3_bucket=TEXT, mail_message_id=TEXT, mail_template_id=TEXT,
        url=TEXT, **_LINKS, **_STAMPS,
    )  # fmt: skip

    @override
    def chain(self) -> OffsetChain:
        low = self.window.low
        if low is None:
            return OffsetChain(self.path, {"sort": "update_time ASC"})
        return OffsetChain(self.path, {"sort": "update_time DESC"}, stop_before=low, until=self.window.high)
