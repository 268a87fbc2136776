"""Mapped fields get a column with their normal form, on both roads, through every change of the table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

HUBSPOT = {"source": "hubspot"}


def schema_of(singer: Singer, **properties: Message) -> Message:
    """A SCHEMA of contacts as tap-hubspot sends it."""
    nested = {"type": ["object", "null"], "properties": properties}
    return singer.schema({"properties": nested, "updatedAt": singer.instant, "_sdc_deleted_at": singer.instant})


def contact(singer: Singer, key: str = "1", **properties: Any) -> Message:
    """A RECORD that has every field, so that it takes the fast road."""
    record = {"id": key, "at": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "_sdc_deleted_at": None}
    return singer.record({**record, "properties": properties})


@pytest.mark.parametrize("road", ["fast", "slow"])
def test_a_normal_form_stands_beside_what_was_sent(load: Loader, singer: Singer, road: str) -> None:
    message = contact(singer, email="Ada@Example.COM", phone="(415) 555-2671")
    if road == "slow":
        message["record"]["unknown"] = 1
    load(schema_of(singer, email=singer.text, phone=singer.text), message, **HUBSPOT)
    assert [("Ada@Example.COM", "Ada@example.com", "(415) 555-2671", "+14155552671")] == load.table(
        "email, _crm_email, phone, _crm_phone"
    )


def test_plain_columns_get_no_second_one(load: Loader, singer: Singer) -> None:
    properties = {"firstname": singer.text, "date_of_birth": {"type": ["string", "null"], "format": "date"}}
    load(schema_of(singer, **properties, hs_email_optout={"type": ["boolean", "null"]}), **HUBSPOT)
    assert [] == load.database.query("SELECT column_name FROM _crmdb.normal_columns")


def test_without_a_mapping_there_is_none(load: Loader, singer: Singer) -> None:
    load(singer.schema({"email": singer.text}), singer.record({"id": "1", "email": "A@B.COM"}))
    assert [] == load.database.query("SELECT 1 FROM _crmdb.normal_columns")
    assert [] == load.database.query("SELECT 1 FROM pg_namespace WHERE nspname = 'crm'")


def test_an_update_changes_both(load: Loader, singer: Singer) -> None:
    schema = schema_of(singer, email=singer.text)
    load(schema, contact(singer, email="a@b.com"), **HUBSPOT)
    load(schema, contact(singer, email="c@D.com"), **HUBSPOT)
    assert [("c@D.com", "c@d.com")] == load.table("email, _crm_email")
    load(schema, contact(singer, email="c@D.com"), **HUBSPOT)
    assert {"seen": 1, "unchanged": 1} == load.outcomes()


def test_an_absent_field_keeps_both(load: Loader, singer: Singer) -> None:
    schema = schema_of(singer, email=singer.text)
    load(schema, contact(singer, email="a@B.com"), **HUBSPOT)
    load(schema, singer.record({"id": "1", "at": "2026-01-02T00:00:00Z", "properties": {}}), **HUBSPOT)
    assert [("a@B.com", "a@b.com")] == load.table("email, _crm_email")
    load(schema, singer.record({"id": "1", "at": "2026-01-03T00:00:00Z", "properties": None}), **HUBSPOT)
    assert [(None, None)] == load.table("email, _crm_email")


@pytest.mark.parametrize(
    ("level", "rows", "rejected"), [("lenient", [("x", None)], 0), ("off", [("x", None)], 0), ("strict", [], 1)]
)
def test_levels(load: Loader, singer: Singer, level: str, rows: list[Any], rejected: int) -> None:
    load(schema_of(singer, email=singer.text), contact(singer, email="x"), **HUBSPOT, validation={"contacts": level})
    assert rows == load.table("email, _crm_email")
    assert rejected == len(load.rejects())


def test_a_strict_field_names_itself_in_the_reject(load: Loader, singer: Singer) -> None:
    levels = {"*": "strict", "contacts.phone": "off"}
    message = contact(singer, email="x", phone="x")
    load(schema_of(singer, email=singer.text, phone=singer.text), message, **HUBSPOT, validation=levels)
    [(stream, line, field, _)] = load.rejects()
    assert ("contacts", 2, "properties.email") == (stream, line, field)


def test_a_column_that_is_mapped_later_is_filled_by_what_comes(
    load: Loader, singer: Singer, caplog: pytest.LogCaptureFixture
) -> None:
    schema = schema_of(singer, email=singer.text, work=singer.text)
    load(schema, contact(singer, "1", email="a@b.com", work="w@B.com"), contact(singer, "2", work="w@B.com"), **HUBSPOT)
    own = {"streams": {"contacts": {"fields": {"properties.work": "email"}}}}
    load(schema, contact(singer, "2", work="v@B.com"), **HUBSPOT, mapping=own)
    rows = load.database.query(
        "SELECT path, column_name, filled_at IS NULL, retired_at IS NULL FROM _crmdb.normal_columns ORDER BY 1"
    )
    assert caplog.text.count("null until `crmdb mapping apply` has computed them") == 1
    [(_, first, _, first_lives), (path, second, is_open, lives)] = rows
    assert ("_crm_email", False) == (first, first_lives)
    assert ("properties.work", True, True) == (path, is_open, lives)
    assert [("1", None), ("2", "v@b.com")] == load.table(f"id, {second}")


def test_a_mapping_that_comes_back_finds_its_column_empty(load: Loader, singer: Singer) -> None:
    """Else it would show the forms of values that have changed meanwhile."""
    schema = schema_of(singer, email=singer.text)
    load(schema, contact(singer, email="a@b.com"), **HUBSPOT)
    none = {"streams": {"contacts": {"fields": {"properties.email": None}}}}
    load(schema, contact(singer, email="c@d.com"), **HUBSPOT, mapping=none)
    load(schema, **HUBSPOT)
    assert [("c@d.com", None)] == load.table("email, _crm_email")
    assert [("_crm_email", True)] == load.database.query(
        "SELECT column_name, filled_at IS NULL FROM _crmdb.normal_columns"
    )


def test_what_a_column_said_plainly_is_taken_over_when_its_type_changes(load: Loader, singer: Singer) -> None:
    """An amount that becomes text is a number still, as far as it was one."""
    own = {"streams": {"deals": {"entity": "deals", "id": "id", "fields": {"amount": "amount"}}}}
    for kind, key, value in ((singer.number, "1", 1.5), (singer.text, "2", "2.5")):
        assert [] == load.database.query("SELECT 1 FROM pg_attribute WHERE attname = '_crm_amount'")
        record = singer.record({"id": key, "amount": value}, stream="deals")
        load(singer.schema({"amount": kind}, stream="deals"), record, mapping=own)
    rows = load.database.query("SELECT source_id, amount::text FROM crm.deals ORDER BY 1")
    assert [("1", "1.5"), ("2", "2.5")] == rows


def test_the_marked_element_of_a_list(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"emails": {"type": ["array", "null"]}, "update_time": singer.instant}, stream="persons")
    emails = [{"value": "a@b.com", "primary": False}, {"value": "C@D.com", "primary": True}]
    record = {"id": "1", "at": "2026-01-01T00:00:00Z", "emails": emails, "update_time": None}
    second = {**record, "id": "2", "emails": [{"value": "e@f.com"}]}
    third = {**record, "id": "3", "emails": []}
    load(schema, *(singer.record(one, stream="persons") for one in (record, second, third)), source="pipedrive")
    assert [("1", "C@d.com"), ("2", "e@f.com"), ("3", None)] == load.table("id, _crm_email", "persons")


def test_a_field_without_a_column_has_its_form_all_the_same(load: Loader, singer: Singer) -> None:
    many = {f"p{n}": singer.text for n in range(20)}
    own = {"streams": {"contacts": {"fields": {"properties.p19": "website", "properties.p18": "job_title"}}}}
    schema = schema_of(singer, **many, email=singer.text)
    values = {"p19": "HTTPS://Example.com", "p18": "Chief", "email": "a@B.com"}
    load(schema, **HUBSPOT, max_columns=12)
    load(schema, contact(singer, **values), **HUBSPOT, max_columns=14, mapping=own)
    [(extra,)] = load.table("_extra")
    assert "properties.p19" in extra
    rows = load.database.query("SELECT email, website, job_title FROM crm.contacts")
    assert [("a@b.com", "https://example.com/", "Chief")] == rows


def test_a_dry_run_shows_what_would_be_added(load: Loader, singer: Singer, tmp_path: Any) -> None:
    report = tmp_path / "report.json"
    schema = schema_of(singer, email=singer.text)
    load(schema, contact(singer, email="a@B.com"), **HUBSPOT)
    load.database.query("ALTER TABLE crm_test.contacts DROP COLUMN _crm_email CASCADE")
    message = contact(singer, email="c@D.com")
    load(schema, message, **HUBSPOT, dry_run=True, dry_run_report=str(report), log_values=True)
    told = json.loads(report.read_text("utf-8"))["streams"]["contacts"]
    assert ["add normal column _crm_email text (properties.email)"] == told["columns_planned"]
    assert [None, "c@d.com"] == told["changes"][0]["fields"]["_crm_email"]
    assert [] == load.database.query(
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'contacts' AND column_name = '_crm_email'"
    )


def test_bags_have_normal_columns_too(load: Loader, singer: Singer) -> None:
    schema = schema_of(singer, email=singer.text)
    for _ in range(2):
        load(schema, contact(singer, email="a@B.com"), **HUBSPOT, load_method="append-only")
    assert [("a@b.com",), ("a@b.com",)] == load.table("_crm_email")


def test_a_server_error_in_another_row_leaves_forms_alone(load: Loader, singer: Singer) -> None:
    schema = schema_of(singer, email=singer.text)
    bad = contact(singer, "2", email="a@b.com")
    bad["record"]["at"] = "2026-01-01T00:00:00+16:59"
    load(schema, contact(singer, "1", email="X@Y.com"), bad, contact(singer, "3", email="X@Z.com"), **HUBSPOT)
    assert [("1", "X@y.com"), ("3", "X@z.com")] == load.table("id, _crm_email")
