"""The views of the canonical model: one shape over all sources, replaced without holding readers up."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Message, Singer

AT = "2026-01-01T00:00:00Z"


@pytest.fixture
def hubspot(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads a contact as tap-hubspot would."""

    def contacts(*records: Message, **settings: Any) -> None:
        nested = {"type": ["object", "null"], "properties": dict.fromkeys(("email", "phone", "shoes"), singer.text)}
        declared = {"properties": nested, "updatedAt": singer.instant, "url": singer.text}
        load(
            singer.schema(declared),
            *(singer.record({"at": AT, "updatedAt": AT, "url": None, **one}) for one in records),
            **{"source": "hubspot", "default_target_schema": "hubspot", **settings},
        )

    return contacts


@pytest.fixture
def salesforce(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads a contact as tap-salesforce would."""

    def contacts(*records: Message, **settings: Any) -> None:
        declared = {
            "Email": singer.text,
            "Phone": singer.text,
            "AccountId": singer.text,
            "SystemModstamp": singer.instant,
        }
        schema = singer.schema(declared, stream="Contact", key_properties=["Id"])
        schema["schema"]["properties"]["Id"] = {"type": "string"}
        load(
            schema,
            *(singer.record({"SystemModstamp": AT, **one}, stream="Contact") for one in records),
            **{"source": "salesforce", "default_target_schema": "salesforce", **settings},
        )

    return contacts


def test_one_person_in_two_crms_has_one_email_and_one_phone(load: Loader, hubspot: Any, salesforce: Any) -> None:
    hubspot({"id": "1", "properties": {"email": "Ada@Example.com", "phone": "415-555-2671"}})
    salesforce({"Id": "003A", "Email": "Ada@EXAMPLE.com", "Phone": "+1 (415) 555 2671"})
    rows = load.database.query(
        "SELECT crm_source, source_id, email, phone, source_updated_at = %s FROM crm.contacts ORDER BY 1", AT
    )
    assert [
        ("hubspot", "1", "Ada@example.com", "+14155552671", True),
        ("salesforce", "003A", "Ada@example.com", "+14155552671", True),
    ] == rows


def test_nothing_of_a_source_is_lost(load: Loader, hubspot: Any) -> None:
    hubspot({"id": "1", "url": "https://app.example.com/1", "properties": {"shoes": "43"}})
    query = "SELECT source_row ->> 'shoes', source_url, source_table, deleted_at FROM crm.contacts"
    assert [("43", "https://app.example.com/1", "hubspot.contacts", None)] == load.database.query(query)


def test_every_entity_has_a_view_and_every_column_a_comment(load: Loader, hubspot: Any) -> None:
    hubspot()
    views = load.database.query("SELECT table_name FROM information_schema.views WHERE table_schema = 'crm' ORDER BY 1")
    expected = "activities associations companies contacts deals line_items owners pipelines products stages"
    assert expected.split() == [name for (name,) in views]
    bare = load.database.query(
        "SELECT c.relname, attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'crm'::regnamespace AND coalesce(col_description(attrelid, attnum), '') = ''"
    )
    assert [] == bare


def test_addresses_of_pages_are_made_of_the_base_that_is_set(load: Loader, salesforce: Any) -> None:
    salesforce({"Id": "003A"})
    assert [(None,)] == load.database.query("SELECT source_url FROM crm.contacts")
    salesforce(mapping={"base_url": "https://acme.my.salesforce.com/"})
    assert [("https://acme.my.salesforce.com/003A",)] == load.database.query("SELECT source_url FROM crm.contacts")


def test_fields_that_hold_ids_are_associations(load: Loader, salesforce: Any) -> None:
    salesforce({"Id": "003A", "AccountId": "001B"}, {"Id": "003C", "AccountId": None})
    rows = load.database.query("SELECT from_entity, from_id, to_entity, to_id, kind, source_id FROM crm.associations")
    assert [("contacts", "003A", "companies", "001B", "AccountId", "003A:AccountId")] == rows


def test_a_path_of_ones_own_is_live_with_the_next_run(load: Loader, hubspot: Any) -> None:
    hubspot({"id": "1", "properties": {"shoes": "43"}})
    own = {
        "model": {"contacts": {"fields": {"shoe_size": {"type": "text", "description": "Size of shoes."}}}},
        "streams": {"contacts": {"fields": {"properties.shoes": "shoe_size"}}},
    }
    hubspot(mapping=own)
    assert [("43",)] == load.database.query("SELECT shoe_size FROM crm.contacts")


def test_a_users_view_stays_where_columns_are_added(load: Loader, hubspot: Any) -> None:
    hubspot({"id": "1", "properties": {"email": "a@b.com"}})
    load.database.query("CREATE VIEW public.mine AS SELECT email FROM crm.contacts")
    hubspot(mapping={"model": {"contacts": {"fields": {"more": {"type": "text", "description": "More."}}}}})
    assert [("a@b.com",)] == load.database.query("SELECT email FROM public.mine")
    assert [(None,)] == load.database.query("SELECT more FROM crm.contacts")


def test_a_users_view_is_never_dropped(load: Loader, hubspot: Any, caplog: pytest.LogCaptureFixture) -> None:
    hubspot(mapping={"model": {"contacts": {"fields": {"more": {"type": "text", "description": "More."}}}}})
    load.database.query("CREATE VIEW public.mine AS SELECT more FROM crm.contacts")
    hubspot({"id": "1"})
    assert "View crm.contacts stays as it was: view mine uses it" in caplog.text.replace(
        "view public.mine", "view mine"
    )
    assert [("1",)] == load.database.query("SELECT source_id FROM crm.contacts")
    assert [(True,)] == load.database.query(
        "SELECT waits_for IS NOT NULL FROM _crmdb.model_views WHERE view_name = 'contacts'"
    )
    load.database.query("DROP VIEW public.mine")
    hubspot()
    with pytest.raises(psycopg.errors.UndefinedColumn):
        load.database.query("SELECT more FROM crm.contacts")


def test_somebody_elses_view_is_left_alone(load: Loader, hubspot: Any, caplog: pytest.LogCaptureFixture) -> None:
    load.database.query("CREATE SCHEMA crm")
    load.database.query("CREATE VIEW crm.contacts AS SELECT 1 AS mine")
    hubspot({"id": "1"})
    assert [(1,)] == load.database.query("SELECT mine FROM crm.contacts")
    assert "crm.contacts is there already and was not made by target-crmdb" in caplog.text
    assert [] == load.database.query("SELECT 1 FROM crm.deals")


def test_a_load_goes_on_without_the_right_to_make_views(
    load: Loader, hubspot: Any, caplog: pytest.LogCaptureFixture
) -> None:
    load.database.query("CREATE SCHEMA crm")
    hubspot({"id": "1"}, model_schema="pg_catalog")
    assert [(1,)] == load.database.query("SELECT count(*)::int FROM hubspot.contacts")
    assert "could not be made" in caplog.text


def test_a_view_that_somebody_dropped_comes_back(load: Loader, hubspot: Any) -> None:
    hubspot({"id": "1"})
    load.database.query("DROP VIEW crm.contacts")
    hubspot()
    assert [("1",)] == load.database.query("SELECT source_id FROM crm.contacts")


def test_a_widened_column_is_read_as_before(load: Loader, singer: Singer) -> None:
    """The view is made anew around the change of type, and afterwards as the new type asks."""
    own = {"streams": {"deals": {"entity": "deals", "id": "id", "fields": {"note": "description"}}}}
    load(singer.schema({"note": singer.text}, stream="deals"), mapping=own)
    load(
        singer.schema({"note": {"type": ["null", "string", "object"]}}, stream="deals"),
        singer.record({"id": "1", "note": "a"}, stream="deals"),
        singer.record({"id": "2", "note": {"b": 1}}, stream="deals"),
        mapping=own,
    )
    rows = load.database.query("SELECT source_id, description FROM crm.deals ORDER BY 1")
    assert [("1", "a"), ("2", '{"b": 1}')] == rows


def test_what_a_column_has_that_a_sibling_follows_is_read_too(load: Loader, singer: Singer) -> None:
    own = {"streams": {"deals": {"entity": "deals", "id": "id", "fields": {"v": "amount"}}}}
    for kind, key, value in ((singer.number, "1", 1.5), (singer.text, "2", "2.5")):
        record = singer.record({"id": key, "v": value}, stream="deals")
        load(singer.schema({"v": kind}, stream="deals"), record, mapping=own, max_rewrite_bytes=0)
    rows = load.database.query("SELECT source_id, amount::text FROM crm.deals ORDER BY 1")
    assert [("1", "1.5"), ("2", "2.5")] == rows


def test_readers_wait_for_a_second_at_most(load: Loader, hubspot: Any) -> None:
    """Somebody's open transaction keeps the view from being replaced; others go on reading it, and the load ends."""
    hubspot({"id": "1"})
    own = {"streams": {"contacts": {"fields": {"properties.shoes": "job_title"}}}}
    longest: list[float] = []
    with psycopg.connect(load.database.url) as sleeper:
        sleeper.execute("SELECT count(*) FROM crm.contacts")
        done = threading.Event()

        def read() -> None:
            with psycopg.connect(load.database.url, autocommit=True) as reader:
                while not done.is_set():
                    begun = time.monotonic()
                    reader.execute("SELECT email FROM crm.contacts")
                    longest.append(time.monotonic() - begun)

        reading = threading.Thread(target=read)
        reading.start()
        try:
            hubspot({"id": "2", "properties": {"shoes": "43"}}, mapping=own)
        finally:
            done.set()
            reading.join()
    assert [(2,)] == load.database.query("SELECT count(*)::int FROM crm.contacts")
    assert max(longest) < 3
    hubspot(mapping=own)
    assert [("43",)] == load.database.query("SELECT job_title FROM crm.contacts WHERE source_id = '2'")


def test_views_are_replaced_under_readers(load: Loader, hubspot: Any) -> None:
    hubspot({"id": "1", "properties": {"email": "a@b.com", "shoes": "43"}})
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(load.database.url, autocommit=True) as reader:
            while not done.is_set():
                try:
                    assert reader.execute("SELECT email FROM crm.contacts").fetchall() == [("a@b.com",)]
                except BaseException as error:  # noqa: BLE001 - told by the main thread
                    failures.append(error)
                    return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    try:
        for number in range(4):
            field = "job_title" if number % 2 else "status"
            hubspot(mapping={"streams": {"contacts": {"fields": {"properties.shoes": field}}}})
    finally:
        done.set()
        for one in readers:
            one.join()
    assert [] == failures
    assert [("43",)] == load.database.query("SELECT job_title FROM crm.contacts")


def test_a_look_up_by_email_uses_an_index_of_each_source(
    load: Loader, singer: Singer, hubspot: Any, salesforce: Any
) -> None:
    """Four sources of 200,000 rows each, of three CRMs: no table is read through."""
    hubspot({"id": "1", "properties": {"email": "first@x.com"}})
    hubspot({"id": "1", "properties": {"email": "first@x.com"}}, default_target_schema="hubspot_2")
    salesforce({"Id": "003000000000001AAA", "Email": "first@x.com"})
    persons = singer.schema({"emails": {"type": ["array", "null"]}}, stream="persons")
    load(
        persons,
        singer.record({"id": "1", "at": AT, "emails": [{"value": "first@x.com", "primary": True}]}, stream="persons"),
        source="pipedrive",
        default_target_schema="pipe",
    )
    for table in ("hubspot.contacts", "hubspot_2.contacts", "salesforce.contact", "pipe.persons"):
        load.database.query(
            f"INSERT INTO {table} (id, _crm_email) SELECT n::text, n || '@x.com' FROM generate_series(2, 200000) n"
        )
        load.database.query(f"ANALYZE {table}")
    [(text,)] = load.database.query(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM crm.contacts WHERE email = '77@x.com'"
    )
    text = json.dumps(text)
    assert 4 == text.count("(_crm_email = '77@x.com'::text)"), text
    assert "Seq Scan" not in text
    assert [(4, 3)] == load.database.query(
        "SELECT count(*)::int, count(DISTINCT crm_source)::int FROM crm.contacts WHERE email = '77@x.com'"
    )
    assert [(800_000,)] == load.database.query("SELECT count(*)::int FROM crm.contacts")


def test_the_whole_row_is_made_only_where_it_is_asked_for(load: Loader, hubspot: Any) -> None:
    hubspot({"id": "1"})
    [*lines] = load.database.query("EXPLAIN (VERBOSE) SELECT email FROM crm.contacts")
    assert "to_jsonb" not in "\n".join(line for (line,) in lines)


def test_views_on_the_models_views_outlive_a_change_of_type(load: Loader, singer: Singer) -> None:
    own = {"streams": {"deals": {"entity": "deals", "id": "id", "fields": {"note": "description"}}}}
    load(singer.schema({"note": singer.integer}, stream="deals"), mapping=own)
    load.database.query("CREATE VIEW crm.mine AS SELECT description FROM crm.deals")
    load.database.query("GRANT SELECT ON crm.deals TO public")
    record = singer.record({"id": "1", "note": "a"}, stream="deals")
    load(singer.schema({"note": singer.text}, stream="deals"), record, mapping=own)
    assert [("a",)] == load.database.query("SELECT description FROM crm.mine")
    assert [(True,)] == load.database.query("SELECT has_table_privilege('public', 'crm.deals', 'select')")
