"""Streams of fixed shape that are read whole in every run: each is a declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import ApiError
from crmdb_core.stream import Page
from tap_pipedrive.client import PipedriveStream, fields
from tap_pipedrive.paging import OffsetList, cursor_pages, rows_of
from tap_pipedrive.shapes import (
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    INTEGERS,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
)
from tap_pipedrive.streams.entities import CustomStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_pipedrive.shapes import Record

__all__ = ["FIXED", "CursorStream", "OffsetStream", "ProjectsStream", "WholeStream"]

_STAMPS = fields(add_time=INSTANT, update_time=INSTANT)
_ID = fields(id=INTEGER)
_TEXT_ID = fields(id=TEXT)


class WholeStream(PipedriveStream):
    """A list of v1 that comes at once."""

    @override
    def pages(self) -> Iterator[Page]:
        yield Page(rows_of(self.tap.session.get_json(self.path), self.path))


class OffsetStream(PipedriveStream):
    """A list of v1 by pages of `most` rows."""

    most: ClassVar[int] = 500

    @override
    def pages(self) -> Iterator[Page]:
        size = min(self.most, int(self.config["page_size"]))
        for rows, _ in OffsetList(self.tap.session, self.path, {}, size).pages():
            yield Page(rows)


class CursorStream(PipedriveStream):
    """A list of v2 by id."""

    params: ClassVar[Mapping[str, Any]] = {}

    @override
    def pages(self) -> Iterator[Page]:
        yield from self.list_of(self.path)

    def list_of(self, path: str) -> Iterator[Page]:
        """The pages of one list."""
        for rows, _ in cursor_pages(self.tap.session, path, {"limit": self.config["page_size"], **self.params}):
            yield Page(rows)


class PipelinesStream(CursorStream):
    """Pipelines."""

    name, path, keys = "pipelines", "/api/v2/pipelines", _ID
    properties = fields(name=TEXT, order_nr=INTEGER, is_deleted=BOOLEAN, is_deal_probability_enabled=BOOLEAN, **_STAMPS)


class StagesStream(CursorStream):
    """Stages of the pipelines."""

    name, path, keys = "stages", "/api/v2/stages", _ID
    properties = fields(
        name=TEXT, order_nr=INTEGER, is_deleted=BOOLEAN, deal_probability=INTEGER, pipeline_id=INTEGER,
        is_deal_rot_enabled=BOOLEAN, days_to_rotten=INTEGER, **_STAMPS,
    )  # fmt: skip


class UsersStream(WholeStream):
    """Users; one without `active_flag` is deactivated, not deleted."""

    name, path, keys = "users", "/v1/users", _ID
    properties = fields(
        name=TEXT, default_currency=TEXT, locale=TEXT, lang=INTEGER, email=TEXT, phone=TEXT, activated=BOOLEAN,
        last_login=INSTANT, created=INSTANT, modified=INSTANT, has_created_company=BOOLEAN, access=LIST,
        active_flag=BOOLEAN, timezone_name=TEXT, timezone_offset=TEXT, role_id=INTEGER, icon_url=TEXT, is_you=BOOLEAN,
        is_deleted=BOOLEAN,
    )  # fmt: skip

    @override
    def deleted_at(self, record: Record) -> Any:
        return record["modified"] or self._now if record["is_deleted"] else None


class RolesStream(OffsetStream):
    """Roles."""

    name, path, keys = "roles", "/v1/roles", _ID
    properties = fields(
        parent_role_id=INTEGER, name=TEXT, active_flag=BOOLEAN, assignment_count=INTEGER, sub_role_count=INTEGER,
        level=INTEGER,
    )  # fmt: skip


class PermissionSetsStream(WholeStream):
    """Permission sets."""

    name, path, keys = "permission_sets", "/v1/permissionSets", _TEXT_ID
    properties = fields(name=TEXT, description=TEXT, app=TEXT, type=TEXT, assignment_count=INTEGER)


class FiltersStream(WholeStream):
    """Filters."""

    name, path, keys = "filters", "/v1/filters", _ID
    properties = fields(
        name=TEXT, filter_code=TEXT, is_editable=BOOLEAN, active_flag=BOOLEAN, type=TEXT, temporary_flag=BOOLEAN,
        user_id=INTEGER, visible_to=INTEGER, last_used_time=INSTANT, custom_view_id=INTEGER, **_STAMPS,
    )  # fmt: skip


class CurrenciesStream(WholeStream):
    """Currencies."""

    name, path, keys = "currencies", "/v1/currencies", _ID
    properties = fields(
        code=TEXT, name=TEXT, decimal_points=INTEGER, symbol=TEXT, active_flag=BOOLEAN, is_custom_flag=BOOLEAN
    )


class ActivityTypesStream(WholeStream):
    """Types of activities."""

    name, path, keys = "activity_types", "/v1/activityTypes", _ID
    properties = fields(
        order_nr=INTEGER, name=TEXT, key_string=TEXT, icon_key=TEXT, active_flag=BOOLEAN, color=TEXT,
        is_custom_flag=BOOLEAN, **_STAMPS,
    )  # fmt: skip


class LeadLabelsStream(WholeStream):
    """Labels of leads."""

    name, path, keys = "lead_labels", "/v1/leadLabels", _TEXT_ID
    properties = fields(name=TEXT, color=TEXT, **_STAMPS)


class LeadSourcesStream(WholeStream):
    """Sources of leads: names only."""

    name, path, keys = "lead_sources", "/v1/leadSources", fields(name=TEXT)
    properties = fields()


class GoalsStream(PipedriveStream):
    """Goals; a service of its own answers."""

    name, path, keys = "goals", "/v1/goals/find", _TEXT_ID
    optional = True
    properties = fields(
        owner_id=INTEGER, title=TEXT, type=OBJECT, assignee=OBJECT, interval=TEXT, duration=OBJECT,
        expected_outcome=OBJECT, is_active=BOOLEAN, report_ids=LIST,
    )  # fmt: skip

    @override
    def pages(self) -> Iterator[Page]:
        data = self.tap.session.get_json(self.path).get("data") or {}
        if not isinstance(data, dict):
            raise ApiError(f"GET {self.path} was answered without goals; run again later", path=self.path)
        yield Page(data.get("goals") or [])


class CallLogsStream(OffsetStream):
    """Call logs of the user whose token it is; Pipedrive shows no others."""

    name, path, keys = "call_logs", "/v1/callLogs", _TEXT_ID
    most = 50
    removes_vanished = False
    optional = True
    properties = fields(
        activity_id=INTEGER, person_id=INTEGER, org_id=INTEGER, deal_id=INTEGER, subject=TEXT, duration=INTEGER,
        outcome=TEXT, from_phone_number=TEXT, to_phone_number=TEXT, has_recording=BOOLEAN, start_time=INSTANT,
        end_time=INSTANT, user_id=INTEGER, company_id=INTEGER, note=TEXT,
    )  # fmt: skip


class ProjectsStream(CursorStream, CustomStream):
    """Projects, archived and deleted ones too, where they are switched on; their list knows no times."""

    name, path, keys = "projects", "/api/v2/projects", _ID
    entity = "project"
    optional = True
    params: ClassVar[Mapping[str, Any]] = {"status": "open,completed,canceled,deleted"}
    properties = fields(
        title=TEXT, description=TEXT, status=TEXT, board_id=INTEGER, phase_id=INTEGER, owner_id=INTEGER,
        start_date=DATE, end_date=DATE, deal_ids=INTEGERS, person_ids=INTEGERS, org_ids=INTEGERS, label_ids=INTEGERS,
        health_status=INTEGER, status_change_time=INSTANT, archive_time=INSTANT, **_STAMPS,
    )  # fmt: skip

    @override
    def pages(self) -> Iterator[Page]:
        yield from self.list_of(self.path)
        if self.config["archived"]:
            yield from self.list_of(f"{self.path}/archived")
            yield from self.list_of(self.path)  # what came back out of the archive between the two

    @override
    def deleted_at(self, record: Record) -> Any:
        return record["update_time"] or self._now if record["status"] == "deleted" else None


class TasksStream(CursorStream):
    """Tasks of projects."""

    name, path, keys = "tasks", "/api/v2/tasks", _ID
    optional = True
    properties = fields(
        title=TEXT, creator_id=INTEGER, description=TEXT, project_id=INTEGER, is_done=BOOLEAN, is_milestone=BOOLEAN,
        due_date=DATE, start_date=DATE, parent_task_id=INTEGER, assignee_ids=INTEGERS, priority=NUMBER,
        marked_as_done_time=INSTANT, **_STAMPS,
    )  # fmt: skip


class BoardsStream(WholeStream):
    """Boards of projects."""

    name, path, keys = "project_boards", "/api/v2/boards", _ID
    optional = True
    properties = fields(name=TEXT, order_nr=INTEGER, **_STAMPS)


class PhasesStream(PipedriveStream):
    """Phases of the boards: a call for each board."""

    name, path, keys = "project_phases", "/api/v2/phases", _ID
    optional = True
    properties = fields(name=TEXT, board_id=INTEGER, order_nr=INTEGER, **_STAMPS)

    @override
    def pages(self) -> Iterator[Page]:
        boards = rows_of(self.tap.session.get_json(BoardsStream.path), BoardsStream.path)
        for board in boards:
            yield Page(rows_of(self.tap.session.get_json(self.path, {"board_id": board["id"]}), self.path))


FIXED: tuple[type[PipedriveStream], ...] = (
    PipelinesStream,
    StagesStream,
    UsersStream,
    RolesStream,
    PermissionSetsStream,
    FiltersStream,
    CurrenciesStream,
    ActivityTypesStream,
    LeadLabelsStream,
    LeadSourcesStream,
    GoalsStream,
    CallLogsStream,
    ProjectsStream,
    TasksStream,
    BoardsStream,
    PhasesStream,
)
