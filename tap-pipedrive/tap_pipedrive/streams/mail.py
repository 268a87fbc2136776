"""Mail of the user whose token it is: threads of every folder, messages of the threads that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import NotFoundError
from crmdb_core.instants import parse_instant
from crmdb_core.stream import Page
from tap_pipedrive.client import PipedriveStream, fields
from tap_pipedrive.paging import OffsetList, rows_of
from tap_pipedrive.shapes import BOOLEAN, INSTANT, INTEGER, LIST, OBJECT, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tap_pipedrive.shapes import Record

_FOLDERS = ("inbox", "drafts", "sent", "archive")
_PATH = "/v1/mailbox/mailThreads"
_STAMPS = fields(add_time=INSTANT, update_time=INSTANT)


class _MailStream(PipedriveStream):
    """Not selected unless asked for: it is private, and one user's only."""

    selected_by_default = False
    removes_vanished = False  # another user's run shows other mail
    optional = True

    def threads(self) -> Iterator[list[Record]]:
        """The threads of each folder, by pages."""
        for folder in _FOLDERS:
            listed = OffsetList(self.tap.session, _PATH, {"folder": folder}, int(self.config["page_size"]))
            for rows, _ in listed.pages():
                yield rows

    @override
    def deleted_at(self, record: Record) -> Any:
        is_deleted = record["deleted_flag"]
        return (record["update_time"] or self._now) if is_deleted else None


class MailThreadsStream(_MailStream):
    """Mail threads; the list knows no times, and is read whole."""

    name, path, keys = "mail_threads", _PATH, fields(id=INTEGER)
    properties = fields(
        parties=OBJECT, drafts_parties=LIST, folders=LIST, account_id=TEXT, user_id=INTEGER, version=INTEGER,
        subject=TEXT, snippet=TEXT, snippet_draft=TEXT, snippet_sent=TEXT, has_attachments_flag=BOOLEAN,
        has_draft_flag=BOOLEAN, has_sent_flag=BOOLEAN, archived_flag=BOOLEAN, deleted_flag=BOOLEAN,
        shared_flag=BOOLEAN, external_deleted_flag=BOOLEAN, last_message_timestamp=INSTANT,
        first_message_timestamp=INSTANT, deal_id=INTEGER, deal_status=TEXT, **_STAMPS,
    )  # fmt: skip

    @override
    def pages(self) -> Iterator[Page]:
        yield from map(Page, self.threads())


class MailMessagesStream(_MailStream):
    """Mail messages, without their bodies: a call for each thread that changed since the bookmark."""

    name, path, keys = "mail_messages", f"{_PATH}/1/mailMessages", fields(id=INTEGER)
    replication_key = "update_time"
    properties = fields(
        mail_thread_id=INTEGER, account_id=TEXT, user_id=INTEGER, subject=TEXT, snippet=TEXT, body_url=TEXT, cc=LIST,
        bcc=LIST, to=LIST, read_flag=BOOLEAN, draft_flag=BOOLEAN, synced_flag=BOOLEAN, deleted_flag=BOOLEAN,
        has_body_flag=BOOLEAN, sent_flag=BOOLEAN, message_time=INSTANT, **{"from": LIST}, **_STAMPS,
    )  # fmt: skip

    @override
    def pages(self) -> Iterator[Page]:
        changed = sorted({row["id"] for rows in self.threads() for row in rows if self._is_changed(row)})
        for rows in in_order(self._messages, changed, workers=self.config["concurrency"]):
            yield Page(rows)

    def _is_changed(self, row: Record) -> bool:
        low, stamp = self.window.low, row.get("update_time")
        return low is None or stamp is None or parse_instant(stamp) >= low

    def _messages(self, thread: int) -> list[Record]:
        path = f"{_PATH}/{thread}/mailMessages"
        try:
            return rows_of(self.tap.session.get_json(path), path)
        except NotFoundError:
            return []  # it was deleted since the list
