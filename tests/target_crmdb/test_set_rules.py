"""Rules over many records: asked once after a load, over what it changed and the neighbours of that."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from target_crmdb.exceptions import ConfigError
from target_crmdb.set_rules import all_set_rules
from target_crmdb.set_rules.reading import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer

TEXT: Message = {"type": ["string", "null"]}
FLAG: Message = {"type": ["boolean", "null"]}
NUMBER: Message = {"type": ["number", "null"]}
INTEGER: Message = {"type": ["integer", "null"]}
# streams and fields as tap-pipedrive names them
STREAMS: dict[str, dict[str, Message]] = {
    "persons": {"name": TEXT, "owner_id": INTEGER, "emails": {"type": ["array", "null"]}},
    "organizations": {"name": TEXT, "owner_id": INTEGER},
    "deals": {"title": TEXT, "stage_id": INTEGER, "pipeline_id": INTEGER, "owner_id": INTEGER, "person_id": INTEGER},
    "stages": {"name": TEXT, "pipeline_id": INTEGER},
    "users": {"name": TEXT, "active_flag": FLAG},
}


@pytest.fixture
def pipe(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads records of a stream as tap-pipedrive would."""

    def run(stream: str, *records: dict[str, Any], **settings: Any) -> None:
        load(
            *messages(singer, stream, *records), **{"source": "pipedrive", "default_target_schema": "pipe", **settings}
        )

    return run


def messages(singer: Singer, stream: str, *records: dict[str, Any]) -> list[Message]:
    declared = {"id": {"type": "integer"}, "_sdc_deleted_at": singer.instant, **STREAMS[stream]}
    schema = singer.schema(declared, stream=stream, bookmark_properties=[])
    del schema["schema"]["properties"]["at"]
    whole = ({**dict.fromkeys(declared), **record} for record in records)
    return [schema, *(singer.record(record, stream=stream) for record in whole)]


def person(number: int, email: str | None = None, **more: Any) -> dict[str, Any]:
    emails = [{"value": email, "primary": True, "label": "work"}] if email else []
    return {"id": number, "name": "N", "emails": emails, **more}


def broken(load: Loader, rule: str) -> list[str]:
    """Give the keys of the records that break a rule now."""
    query = "select key from _crmdb.validation_issues where kind = 'set' and rule = %s and closed_at is null order by 1"
    return [row[0] for row in load.database.query(query, rule)]


def test_a_deal_in_a_stage_that_its_pipeline_lacks(load: Loader, pipe: Any) -> None:
    pipe("deals", {"id": 1, "stage_id": 10, "pipeline_id": 1}, {"id": 2, "stage_id": 10, "pipeline_id": 2}, {"id": 3})
    assert [] == broken(load, "deals.unknown_stage"), "nothing is known of stages yet"
    pipe("stages", {"id": 10, "pipeline_id": 1}, {"id": 11, "pipeline_id": 2})
    assert ["2"] == broken(load, "deals.unknown_stage")
    pipe("deals", {"id": 2, "stage_id": 11, "pipeline_id": 2}, {"id": 4, "stage_id": 12, "pipeline_id": 1})
    assert ["4"] == broken(load, "deals.unknown_stage")
    pipe("stages", {"id": 12, "pipeline_id": 1})
    assert [] == broken(load, "deals.unknown_stage"), "the neighbours of a changed stage are asked again"


def test_a_deal_without_a_pipeline_in_a_stage_that_there_is_not(load: Loader, pipe: Any) -> None:
    pipe("stages", {"id": 10, "pipeline_id": 1})
    pipe("deals", {"id": 1, "stage_id": 10}, {"id": 2, "stage_id": 12})
    assert ["2"] == broken(load, "deals.unknown_stage")


def test_an_owner_who_is_unknown_or_inactive(load: Loader, pipe: Any) -> None:
    pipe("users", {"id": 1, "name": "A", "active_flag": True}, {"id": 2, "name": "B", "active_flag": False})
    owned = [{"id": number, "owner_id": number, "name": "N"} for number in (1, 2, 3)]
    pipe("persons", *owned, {"id": 4, "name": "N"})
    pipe("organizations", *owned)
    pipe("deals", *({"id": one["id"], "owner_id": one["owner_id"]} for one in owned))
    for rule in ("contacts.owner", "companies.owner", "deals.owner"):
        assert ["2", "3"] == broken(load, rule)
    pipe("users", {"id": 1, "name": "A", "active_flag": False}, {"id": 2, "name": "B", "active_flag": True})
    for rule in ("contacts.owner", "companies.owner", "deals.owner"):
        assert ["1", "3"] == broken(load, rule)


def test_an_email_that_many_contacts_share(load: Loader, pipe: Any) -> None:
    pipe("persons", *(person(number, "info@example.com") for number in (1, 2)), person(3, "a@example.com"))
    assert [] == broken(load, "contacts.shared_email")
    pipe("persons", person(4, "info@example.com"))
    assert ["1", "2", "4"] == broken(load, "contacts.shared_email"), "also those that this run did not change"
    pipe("persons", person(2, "b@example.com"))
    assert [] == broken(load, "contacts.shared_email")
    pipe("persons", person(5, "c@example.com"), person(6, "c@example.com"), max_shared_email=1)
    assert ["5", "6"] == broken(load, "contacts.shared_email")


def test_the_same_person_in_two_sources_is_not_shared(load: Loader, pipe: Any) -> None:
    for schema in ("pipe", "pipe2", "pipe3"):
        pipe("persons", person(1, "a@example.com"), default_target_schema=schema)
    assert [] == broken(load, "contacts.shared_email")


def test_an_association_that_leads_nowhere(load: Loader, pipe: Any) -> None:
    pipe("persons", person(1), person(2))
    pipe("deals", {"id": 1, "person_id": 1}, {"id": 2, "person_id": 3})
    [dangling] = broken(load, "associations.dangling")
    query = "select from_id, to_id from crm.associations where source_id = %s"
    assert [("2", "3")] == load.database.query(query, dangling)
    pipe("persons", person(3))
    assert [] == broken(load, "associations.dangling")
    pipe("persons", person(1, _sdc_deleted_at="2026-01-01T00:00:00Z"))
    assert 1 == len(broken(load, "associations.dangling"))


def test_what_is_wrong_with_a_record_that_is_swept_is_closed(load: Loader, pipe: Any, singer: Singer) -> None:
    pipe("users", {"id": 1, "name": "A", "active_flag": True})
    pipe("persons", person(1, owner_id=9), person(2, "nobody", owner_id=9))
    assert ["1", "2"] == broken(load, "contacts.owner")
    schema, record = messages(singer, "persons", person(1, owner_id=9))
    ended = singer.activate(7, stream="persons")
    load(schema, {**record, "version": 7}, ended, source="pipedrive", default_target_schema="pipe")
    assert ["1"] == broken(load, "contacts.owner")
    assert [] == load.database.query("select 1 from _crmdb.validation_issues where key = '2' and closed_at is null")


def test_a_run_that_changes_nothing_asks_nothing(load: Loader, pipe: Any) -> None:
    pipe("users", {"id": 1, "name": "A", "active_flag": True})
    pipe("persons", person(1, owner_id=9))
    load.database.query("delete from _crmdb.validation_issues")
    pipe("persons", person(1, owner_id=9))
    assert [] == broken(load, "contacts.owner")


@pytest.mark.parametrize("again", [1, 2], ids=["the same rows", "another row"])
def test_rows_of_a_killed_run_are_judged_by_the_next_one(
    load: Loader, pipe: Any, singer: Singer, tmp_path: Path, again: int
) -> None:
    """What a killed run has made durable is asked about once, whatever the next run changes itself."""
    pipe("users", {"id": 1, "name": "A", "active_flag": True})
    settings = {"source": "pipedrive", "default_target_schema": "pipe"}
    killed = [*messages(singer, "persons", person(1, owner_id=9)), singer.state({"persons": 1})]
    done = load.process(tmp_path, *killed, env={"CRMDB_FAILPOINTS": "before_state=kill"}, **settings)
    assert -signal.SIGKILL == done.returncode
    assert [("1",)] == load.database.query("select source_id from crm.contacts")
    assert [] == broken(load, "contacts.owner"), "killed before it came to that"
    pipe("persons", person(again, owner_id=9 if again == 1 else 1))
    assert ["1"] == broken(load, "contacts.owner")
    assert [(None,)] == load.database.query("select distinct unjudged_since::text from _crmdb.tables")


def test_rows_are_judged_by_the_next_run_where_it_could_not_be_done(load: Loader, pipe: Any) -> None:
    pipe("users", {"id": 1, "name": "A", "active_flag": True})
    with psycopg.connect(load.database.url) as other:
        other.execute("lock table _crmdb.validation_issues in share mode")
        pipe("persons", person(1, "a@example.com", owner_id=9), lock_timeout=1)
    assert [] == broken(load, "contacts.owner")
    pipe("persons", person(1, "a@example.com", owner_id=9))
    assert ["1"] == broken(load, "contacts.owner")


def test_a_rule_of_ones_own(load: Loader, pipe: Any, tmp_path: Path) -> None:
    mine = tmp_path / "rules.sql"
    mine.write_text(
        "-- rule: contacts.without_email\n-- reason: has no e-mail\nselect source_table, source_id from contacts\n"
        "where email is null; -- all of them\n",
        "utf-8",
    )
    pipe("persons", person(1), person(2, "a@example.com"), rules_file=str(mine))
    assert ["1"] == broken(load, "contacts.without_email")
    pipe("persons", person(1, "b@example.com"), rules_file=str(mine))
    assert [] == broken(load, "contacts.without_email")


def test_a_rule_that_fails_lets_the_load_and_the_others_be(
    load: Loader, pipe: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = tmp_path / "rules.sql"
    mine.write_text("-- rule: contacts.a\nselect nothing from nowhere\n", "utf-8")
    pipe("users", {"id": 1, "name": "A", "active_flag": True})
    pipe("persons", person(1, owner_id=9), rules_file=str(mine))
    assert ["1"] == broken(load, "contacts.owner")
    assert "Rule contacts.a could not be asked (42P01 UndefinedTable)" in caplog.text
    assert [("success",)] == load.database.query("select status from _crmdb.runs order by run_id desc limit 1")


def test_a_rule_that_is_off_is_not_asked(load: Loader, pipe: Any) -> None:
    pipe("users", {"id": 1, "name": "A", "active_flag": True})
    pipe("persons", person(1, owner_id=9), rules={"contacts.owner": "off"})
    assert [] == broken(load, "contacts.owner")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("select 1", r"f\.sql has no rule"),
        ("\n-- rule: nameless\nselect 1", r"f\.sql, line 2: a rule's name is entity\.word"),
        ("-- rule: a.b\ndelete from runs", r"f\.sql, line 1: .* comes one SELECT"),
        ("-- rule: a.b\nselect 1;\n-- rule: a.b\nselect 2", r"line 3: a\.b stands there already, on line 1"),
    ],
)
def test_a_file_of_rules_that_cannot_work_is_told(text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        list(parse(text, "f.sql"))


def test_a_rule_that_there_is_not_is_told_before_anything_is_connected(load: Loader, pipe: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"contacts\.owners \(did you mean contacts\.owner\?\)"):
        pipe("persons", person(1), rules={"contacts.owners": "off"})
    with pytest.raises(ConfigError, match="cannot be read"):
        pipe("persons", person(1), rules_file=str(tmp_path / "none.sql"))
    assert [(None,)] == load.database.query("select to_regnamespace('_crmdb')::text")


def test_a_rule_of_ones_own_may_replace_a_shipped_one(tmp_path: Path) -> None:
    mine = tmp_path / "rules.sql"
    mine.write_text("-- rule: deals.owner\n-- reason: mine\nselect 1\n", "utf-8")
    assert ["mine"] == [rule.reason for rule in all_set_rules(str(mine)) if rule.name == "deals.owner"]


def test_a_source_without_a_mapping_is_left_alone(
    load: Loader, singer: Singer, caplog: pytest.LogCaptureFixture
) -> None:
    load(*messages(singer, "persons", person(1)), source="nothing_known")
    assert [] == [line for line in caplog.messages if "Rule" in line]


def test_no_shipped_rule_compares_every_row_with_every_other(load: Loader, pipe: Any) -> None:
    """A load of half a million rows once waited ten minutes for one rule: it looked through all of them for each."""
    for stream in STREAMS:
        pipe(stream, {"id": 1})
    with psycopg.connect(load.database.sqlalchemy_url.replace("+psycopg", "")) as connection:
        connection.execute("set search_path to crm, _crmdb")
        connection.execute(
            "create temporary table changed (entity text, crm_source text, source_table text, source_id text)"
        )
        connection.execute("set crmdb.max_shared_email = 2; set enable_nestloop = off; set enable_mergejoin = off")
        for rule in all_set_rules():
            plan = "\n".join(row[0] for row in connection.execute(f"explain {rule.query}".encode()))
            assert "Join Filter" not in plan, rule.name
            # whether there is any contact, company or deal is looked up once for each kind of link
            assert "SubPlan" not in re.sub(r"(?ms)^  CTE loaded$.*?^  (?=CTE |->)", "", plan), rule.name


def test_links_are_read_only_where_one_of_them_or_an_end_has_changed(load: Loader, pipe: Any) -> None:
    for stream in STREAMS:
        pipe(stream, {"id": 1})
    [rule] = [one for one in all_set_rules() if one.name == "associations.dangling"]
    with psycopg.connect(load.database.url) as connection:
        connection.execute(
            "insert into pipe.deals (id, person_id) select n, n from generate_series(1, 5000) n where n > 1"
        )
        connection.execute("set search_path to crm, _crmdb")
        connection.execute(
            "create temporary table changed as select * from (values ('owners', 'pipedrive', 'pipe.users', '1')) c"
            " (entity, crm_source, source_table, source_id)"
        )
        connection.execute("set enable_nestloop = off; set enable_mergejoin = off; analyze")
        assert _most_rows(connection, rule.query) <= 1
        connection.execute("insert into changed values ('contacts', 'pipedrive', 'pipe.persons', '7')")
        assert _most_rows(connection, rule.query) >= 4999


def _most_rows(connection: psycopg.Connection[Any], query: str) -> float:
    """Give how many rows the busiest step of a plan has read."""
    plan = "\n".join(row[0] for row in connection.execute(f"explain (analyze, timing off) {query}".encode()))
    return max(float(rows) for rows in re.findall(r"actual rows=([\d.]+)", plan))
