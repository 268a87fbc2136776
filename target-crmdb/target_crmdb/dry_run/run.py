"""A run that writes nothing but a report."""

from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql
from typing_extensions import override

from target_crmdb import history
from target_crmdb.dry_run.report import StreamReport, write_report
from target_crmdb.dry_run.session import DrySession, last_epoch
from target_crmdb.dry_run.shadow import Shadow
from target_crmdb.history import Status
from target_crmdb.mapping import TablePlan
from target_crmdb.rejects import Cursor, Ledger, Reject
from target_crmdb.run import Batch, LoadRun
from target_crmdb.schemas import StreamSchema
from target_crmdb.server_errors import explain
from target_crmdb.settings import Config
from target_crmdb.tables import TableRequest, apply, plan_table

_DIFFERENCES = 100
"""How many changed rows of a stream the report has; the counts have them all."""
_REJECTS = 100


class DryRun(LoadRun):
    """Takes every record the whole way, but into temporary tables: no lock, no DDL, no STATE, no history."""

    is_real = False

    def __init__(self, session: DrySession, config: Config, run_id: int) -> None:
        super().__init__(session, config, run_id, Ledger())
        self._dry_session = session
        self._shadows: dict[str, Shadow] = {}
        self._reports: dict[str, StreamReport] = {}

    @classmethod
    @override
    def open(cls, config: Config, versions: Mapping[str, str], ledger: Ledger) -> "DryRun":
        del ledger  # no reject is kept
        session = DrySession(config)
        try:
            session.attempt(session.prepare)
            start = history.RunStart("dry run", "", "", versions)
            return cls(session, config, session.attempt(lambda: session.begin(lambda c: history.start(c, start))))
        except BaseException:
            with session.ending():
                raise

    @override
    def ensure_table(self, request: TableRequest, schema: StreamSchema) -> TablePlan:
        """Plan the table and make its shadow; the real one is only looked at."""

        def shadow() -> TablePlan:
            connection = self._session.connection
            with connection.transaction(), connection.cursor() as cursor:
                change = plan_table(cursor, request)
                apply(cursor, change, execute=False)
                earlier = self._shadows.get(request.stream)
                made = Shadow(cursor, change, self.next_number(), earlier)
            self._shadows[request.stream] = made
            report = self._reports.setdefault(
                request.stream,
                StreamReport(f"{change.plan.schema}.{change.plan.table}", [key.name for key in change.plan.match]),
            )
            report.planned += [text for one in change.changes if (text := str(one)) not in report.planned]
            if self._mode.appends:
                live = self._dry_session.live_schema
                self._epochs[request.stream] = last_epoch(connection, live, request.schema, request.stream)
            self._adopt(request.stream, made.plan)
            return made.plan

        return self._session.attempt(shadow)

    @override
    def before_merge(self, cursor: Cursor, stream: str, stage: sql.Identifier) -> None:
        self._shadows[stream].touch(cursor, stage)

    @override
    def before_sweep(self, cursor: Cursor, stream: str) -> None:
        self._shadows[stream].touch_all(cursor)

    @override
    def _keep_rejects(self, cursor: Cursor, batch: Batch, found: list[Reject]) -> None:
        for reject in found:
            report = self._reports.setdefault(reject.stream or "(no stream)", StreamReport("", ()))
            if len(report.rejects) < _REJECTS:
                report.rejects.append(reject)

    @override
    def close(self, status: Status, error: str | None = None) -> None:
        """Report what was found, also where the run ended early, and disconnect."""
        with self._session.ending() as connection:
            if connection is None:
                return
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    for stream, shadow in self._shadows.items():
                        self._reports[stream].differences = list(shadow.differences(cursor, _DIFFERENCES))
            except psycopg.Error as failure:
                raise explain(failure, connection) from failure
        path = Path(str(self._config.get("dry_run_report") or "target-crmdb-dry-run.json")).expanduser()
        write_report(path, self._reports, self.counts, values=bool(self._config.get("log_values")))
