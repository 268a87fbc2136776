"""`crmdb mapping`: what is covered, what would be done, and doing it on stored rows without the CRM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from target_crmdb.locks import advisory_key, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Singer

AT = "2026-01-01T00:00:00Z"
WORK = {"streams": {"contacts": {"fields": {"properties.work": "email"}}}}
HUBSPOT = {"source": "hubspot", "default_target_schema": "hubspot"}


@pytest.fixture
def contacts(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads contacts as tap-hubspot would, or makes many of them in the table."""

    def loaded(rows: int = 0, **settings: Any) -> None:
        nested = {"type": ["object", "null"], "properties": {"email": singer.text, "work": singer.text}}
        record = {"at": AT, "updatedAt": AT, "properties": {"email": "A@B.com", "work": "W@B.com"}}
        schema = singer.schema({"properties": nested, "updatedAt": singer.instant})
        load(schema, singer.record({"id": "a", **record}), **HUBSPOT, **settings)
        if rows:
            load.database.query(
                "INSERT INTO hubspot.contacts (id, email, work, _crm_email) SELECT n::text, n || '@B.com',"
                " CASE WHEN n %% 7 = 0 THEN 'no address' ELSE n || '@W.com' END, n || '@b.com'"
                " FROM generate_series(1, %s) n",
                rows,
            )

    return loaded


def test_show_lists_the_mapping(crmdb: Any) -> None:
    rows = json.loads(crmdb("mapping", "show", "--json", source="hubspot", mapping=WORK).stdout)
    [email] = [row for row in rows if row["stream"] == "contacts" and row["canonical field"] == "contacts.email"]
    assert {"path": "properties.work", "type": "email"}.items() <= email.items()


def test_show_prints_a_template(crmdb: Any) -> None:
    assert crmdb("mapping", "show", "csv", "--yaml").stdout.startswith("# A template")
    wrong = crmdb("mapping", "show", "hubsport")
    assert (78, True) == (wrong.returncode, "did you mean hubspot?" in wrong.stderr)


def test_check_explains_coverage(crmdb: Any, contacts: Any) -> None:
    contacts()
    done = crmdb("mapping", "check", "--json", **HUBSPOT)
    assert 0 == done.returncode, done.stderr
    [table] = json.loads(done.stdout)["tables"]
    assert "hubspot.contacts" == table["table"]
    assert "properties.work" in table["unmapped"]
    assert "phone" in table["lacking"]
    assert "email" not in table["lacking"]
    assert "without a canonical field: at, properties.work" in crmdb("mapping", "check", **HUBSPOT).stdout


def test_check_names_an_id_that_is_not_there(crmdb: Any, contacts: Any) -> None:
    contacts()
    own = {"streams": {"contacts": {"id": "key"}}}
    contacts(mapping=own)
    done = crmdb("mapping", "check", **HUBSPOT, mapping=own)
    assert 1 == done.returncode
    assert "hubspot.contacts: key is to be the id, and is not there" in done.stdout


def test_check_says_what_is_not_computed_yet(crmdb: Any, contacts: Any) -> None:
    contacts()
    done = crmdb("mapping", "check", **HUBSPOT, mapping=WORK)
    assert 1 == done.returncode
    assert "to do: hubspot.contacts: add _crm_email_" in done.stdout
    contacts(mapping=WORK)
    assert "compute _crm_email_" in crmdb("mapping", "check", **HUBSPOT, mapping=WORK).stdout


def test_what_was_wrong_with_a_path_that_is_read_no_more_is_closed(
    load: Loader, crmdb: Any, contacts: Any, singer: Singer
) -> None:
    contacts()
    nested = {"type": ["object", "null"], "properties": {"email": singer.text, "work": singer.text}}
    bad = {"id": "b", "at": AT, "updatedAt": AT, "properties": {"email": "none", "work": "none either"}}
    load(singer.schema({"properties": nested, "updatedAt": singer.instant}), singer.record(bad), **HUBSPOT)
    query = "select path, closed_at is null from _crmdb.validation_issues where key = 'b' and kind = 'field' order by 1"
    assert [("properties.email", True)] == load.database.query(query)
    done = crmdb("mapping", "apply", **HUBSPOT, mapping=WORK)
    assert 0 == done.returncode, done.stderr
    assert [("properties.email", False), ("properties.work", True)] == load.database.query(query)


def test_a_new_type_is_computed_for_stored_rows(load: Loader, crmdb: Any, contacts: Any) -> None:
    contacts(12_000)
    assert "make the view anew" in crmdb("mapping", "diff", **HUBSPOT, mapping=WORK).stdout
    done = crmdb("mapping", "apply", **HUBSPOT, mapping=WORK)
    assert 0 == done.returncode, done.stderr
    assert "hubspot.contacts: 12001 rows computed, 1714 values without a normal form" in done.stdout
    query = "SELECT count(*)::int, count(email)::int, min(email) FROM crm.contacts"
    assert [(12_001, 12_001 - 1714, "10000@w.com")] == load.database.query(query)
    assert "Nothing is to be done" in crmdb("mapping", "diff", **HUBSPOT, mapping=WORK).stdout
    assert 0 == crmdb("mapping", "check", **HUBSPOT, mapping=WORK).returncode


def test_values_without_a_form_are_issues_as_in_a_load(load: Loader, crmdb: Any, contacts: Any) -> None:
    contacts(14)
    assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=WORK).returncode
    query = "SELECT key, field, path, original, closed_at IS NULL FROM _crmdb.validation_issues ORDER BY 1"
    issue = ("email", "properties.work", "no address", True)
    assert [("14", *issue), ("7", *issue)] == load.database.query(query)
    load.database.query("UPDATE hubspot.contacts SET work = 'a@b.com' WHERE id = '7'")
    load.database.query("UPDATE _crmdb.normal_columns SET filled_at = NULL")
    assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=WORK).returncode
    assert [("14", *issue), ("7", *issue[:-1], False)] == load.database.query(query)


def test_applying_again_writes_nothing(load: Loader, crmdb: Any, contacts: Any) -> None:
    contacts(100)
    for _ in range(2):
        assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=WORK).returncode
        places = load.database.query("SELECT ctid::text FROM hubspot.contacts ORDER BY id")
    assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=WORK).returncode
    assert places == load.database.query("SELECT ctid::text FROM hubspot.contacts ORDER BY id")


def test_a_killed_apply_goes_on_where_it_was(load: Loader, contacts: Any, tmp_path: Path) -> None:
    contacts(40_000)
    config = tmp_path / "crmdb.json"
    config.write_text(json.dumps({**load.config, **HUBSPOT, "mapping": WORK}), "utf-8")
    command = [str(Path(sys.executable).parent / "crmdb"), "--config", str(config), "mapping", "apply"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "5000 rows so far" in line, process.communicate()
        process.send_signal(signal.SIGKILL)
    [(reached,)] = load.database.query("SELECT count(*)::int FROM crm.contacts WHERE email IS NOT NULL")
    assert 0 < reached < 35_000
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = int(done.stdout.split(" rows computed")[0].split()[-1])
    assert rows < 40_001
    assert [(0,)] == load.database.query(
        "SELECT count(*)::int FROM hubspot.contacts t JOIN crm.contacts c ON c.source_id = t.id"
        " WHERE c.email IS DISTINCT FROM CASE WHEN work <> 'no address' THEN replace(lower(work), 'w@b', 'W@b') END"
    )


def test_a_load_under_way_is_not_disturbed(load: Loader, crmdb: Any, contacts: Any) -> None:
    contacts(10)
    with psycopg.connect(load.database.url, autocommit=True) as other:
        assert try_lock(other, advisory_key("stream", "hubspot", "contacts"))
        done = crmdb("mapping", "apply", **HUBSPOT, mapping=WORK)
    assert 75 == done.returncode
    assert "hubspot.contacts is being loaded" in done.stderr
    assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=WORK).returncode


def test_a_row_that_a_load_writes_meanwhile_is_right(load: Loader, crmdb: Any, contacts: Any) -> None:
    contacts(10)
    contacts(mapping=WORK)  # knows the new column, fills it for what comes
    assert [("W@b.com",)] == load.database.query("SELECT email FROM crm.contacts WHERE source_id = 'a'")
    assert [(None,)] == load.database.query("SELECT email FROM crm.contacts WHERE source_id = '3'")
    assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=WORK).returncode
    assert [("3@w.com",)] == load.database.query("SELECT email FROM crm.contacts WHERE source_id = '3'")


def test_apply_names_the_view_that_is_in_the_way(load: Loader, crmdb: Any, contacts: Any) -> None:
    contacts(mapping={"model": {"contacts": {"fields": {"more": {"type": "text", "description": "More."}}}}})
    load.database.query("CREATE VIEW public.mine AS SELECT more FROM crm.contacts")
    done = crmdb("mapping", "apply", **HUBSPOT)
    assert 1 == done.returncode
    assert "mine uses it" in done.stderr
    assert [] == load.database.query("SELECT more FROM public.mine WHERE more IS NOT NULL")


def test_bags_and_several_keys_are_filled(load: Loader, singer: Singer, crmdb: Any) -> None:
    email = {"streams": {"people": {"entity": "contacts", "id": "a", "fields": {"mail": "email"}}}}
    settings = {"source": "mine", "default_target_schema": "mine"}
    schema = singer.schema({"a": singer.integer, "b": singer.text, "mail": singer.text}, stream="people")
    records = [singer.record({"a": n, "b": "x", "id": str(n), "mail": f"{n}@X.com"}, stream="people") for n in range(9)]
    load({**schema, "key_properties": ["a", "b"]}, *records, **settings)
    assert 0 == crmdb("mapping", "apply", **settings, mapping=email).returncode
    assert [(9,)] == load.database.query("SELECT count(email)::int FROM crm.contacts")
    load({**schema, "key_properties": []}, *records, **{**settings, "default_target_schema": "bags"})
    assert 0 == crmdb("mapping", "apply", **{**settings, "default_target_schema": "bags"}, mapping=email).returncode
    assert [(18,)] == load.database.query("SELECT count(email)::int FROM crm.contacts")


@pytest.mark.long
def test_a_change_on_a_million_rows(load: Loader, crmdb: Any, contacts: Any) -> None:
    """By name at once; by type without a call to any CRM."""
    contacts(1_000_000)
    begun = time.monotonic()
    name = {"streams": {"contacts": {"fields": {"properties.work": "job_title"}}}}
    assert 0 == crmdb("mapping", "apply", **HUBSPOT, mapping=name).returncode
    assert time.monotonic() - begun < 30
    assert [("5@W.com",)] == load.database.query("SELECT job_title FROM crm.contacts WHERE source_id = '5'")
    config = {**load.config, **HUBSPOT, "mapping": json.dumps(WORK)}
    command = [str(Path(sys.executable).parent / "crmdb"), "--config", "ENV", "mapping", "apply"]
    env = {f"TARGET_CRMDB_{name.upper()}": value for name, value in config.items()}
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **env}, timeout=1200)
    assert [(857_144,)] == load.database.query("SELECT count(email)::int FROM crm.contacts")
