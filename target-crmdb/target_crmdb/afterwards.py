"""What is done once when a load is over: rules over many records, and how good the data are now."""

import logging
from collections.abc import Iterable
from typing import Any

import psycopg

from target_crmdb.exceptions import ConfigError
from target_crmdb.mapping import TablePlan
from target_crmdb.mapping.placed import suggestion
from target_crmdb.quality import measure
from target_crmdb.set_rules import SetRules, all_set_rules
from target_crmdb.settings import Config, rule_level
from target_crmdb.validation.rules.own import all_rules

Cursor = psycopg.Cursor[tuple[Any, ...]]
_logger = logging.getLogger(__name__)
_EXPECT = """
update tables set unjudged_since = %s::xid8 where table_schema = %s and table_name = %s and unjudged_since is null
"""
_WAITING = """
select table_schema, table_name, unjudged_since::text
from tables join unnest(%s::text[], %s::text[]) as t (table_schema, table_name) using (table_schema, table_name)
where unjudged_since is not null
"""


def check_rules(config: Config) -> None:
    """Raise ConfigError for a file of rules that cannot be read, or for the level of a rule that there is not."""
    names = {rule.name for rule in all_rules()} | {rule.name for rule in all_set_rules(config.get("rules_file"))}
    known = {"*", *names, *(name.partition(".")[0] for name in names)}
    unknown = [name for name in config.get("rules") or {} if name not in known]
    if unknown:
        told = "; ".join(f"{name} ({suggestion(name, known)})" for name in unknown)
        raise ConfigError(f"The setting rules names what is no rule: {told}")


class Afterwards:
    """Knows where a run began, so that what it has changed can be told from what was there."""

    def __init__(self, config: Config, run_id: int, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        rules = [rule for rule in all_set_rules(config.get("rules_file")) if rule_level(config, rule.name) != "off"]
        self._run_id = run_id
        self._since = _oldest(connection)
        self._measures = bool(config["measure_quality"])
        self._model_schema = str(config["model_schema"])
        self._rules = SetRules(
            rules,
            str(config["model_schema"]),
            str(config["bookkeeping_schema"]),
            max_shared_email=int(config["max_shared_email"]),
        )

    def expect(self, cursor: Cursor, changed: Iterable[TablePlan]) -> None:
        """Remember, in the transaction that changes them, that these tables' rows are not judged yet.

        A run that is killed leaves them so, and the next run of the stream judges them.
        """
        places = [(self._since, plan.schema, plan.table) for plan in changed]
        if places:
            cursor.executemany(_EXPECT, places)

    def run(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        tables: Iterable[TablePlan],
        shrunk: Iterable[TablePlan],
    ) -> None:
        """Do it for those of a run's tables whose rows are not judged; the load is done, whatever becomes of this.

        `shrunk` are those that have lost rows; what an earlier run left unjudged may have lost some too.
        """
        places = [*zip(*((plan.schema, plan.table) for plan in tables), strict=True)] or [(), ()]
        waiting = connection.execute(_WAITING, [[*column] for column in places]).fetchall()
        since = {f"{schema}.{table}": str(oldest) for schema, table, oldest in waiting}
        if not since:
            return
        lost = {f"{plan.schema}.{plan.table}" for plan in shrunk}
        lost |= {name for name, oldest in since.items() if oldest != self._since}
        try:
            self._rules.run(connection, self._run_id, since, lost)
            if self._measures:
                measure(connection, self._model_schema, self._run_id, since)
        except psycopg.Error as error:
            if connection.closed:
                raise
            _logger.warning(
                "Rules over many records could not be asked, or the quality not be measured (%s %s); the next run of "
                "these streams does what was not done",
                *(error.sqlstate, type(error).__name__),
            )


def _oldest(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    """Give the oldest transaction that may still be under way: all that the run writes from now on is newer."""
    row = connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    return str(row[0]) if row else "0"
