"""Values that have no normal form are issues of their records, until a later version of the record is clean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exits import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Message, Singer

TEXT: Message = {"type": ["string", "null"]}
PROPERTIES = {"type": ["object", "null"], "properties": {"email": TEXT, "phone": TEXT, "zip": TEXT}}
DECLARED: dict[str, Any] = {
    "properties": PROPERTIES,
    "updatedAt": {"type": ["string", "null"], "format": "date-time"},
    "_sdc_deleted_at": {"type": ["string", "null"], "format": "date-time"},
}


@pytest.fixture
def contacts(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads contacts as tap-hubspot would; each has the time of its change and some properties."""

    def run(*records: tuple[str, str, dict[str, Any]] | dict[str, Any], **settings: Any) -> None:
        messages = [one if isinstance(one, dict) else contact(*one) for one in records]
        schema = singer.schema(DECLARED, bookmark_properties=["updatedAt"])
        del schema["schema"]["properties"]["at"]
        load(
            schema,
            *(singer.record(message) for message in messages),
            **{"source": "hubspot", "default_target_schema": "hubspot", **settings},
        )

    return run


def contact(key: str, day: str, properties: dict[str, Any]) -> dict[str, Any]:
    whole = {"email": None, "phone": None, "zip": None, **properties}
    return {"id": key, "updatedAt": f"2026-01-{day}T00:00:00Z", "_sdc_deleted_at": None, "properties": whole}


def issues(load: Loader, columns: str = "key, field, rule, original, closed_at is null") -> list[tuple[Any, ...]]:
    return list(
        load.database.query(f"select {columns} from _crmdb.validation_issues where kind = 'field' order by issue_id")
    )


def test_a_value_without_a_normal_form_is_an_issue_and_its_row_stays(load: Loader, contacts: Any) -> None:
    contacts(("1", "01", {"email": "nobody", "phone": "12"}), ("2", "01", {"email": "a@example.com"}))
    assert [
        ("hubspot", "hubspot", "contacts", "contacts", "contacts", "1", "email", "properties.email", "invalid_email"),
        ("hubspot", "hubspot", "contacts", "contacts", "contacts", "1", "phone", "properties.phone", "invalid_phone"),
    ] == issues(load, "source, table_schema, table_name, stream, entity, key, field, path, rule")
    assert [("nobody", "lenient", True), ("12", "lenient", True)] == issues(load, "original, level, run_id is not null")
    assert [("1", None, None), ("2", "a@example.com", None)] == load.database.query(
        "select source_id, email, phone from crm.contacts order by 1"
    )


def test_a_clean_later_version_closes_the_issue(load: Loader, contacts: Any) -> None:
    contacts(("1", "01", {"email": "nobody", "phone": "12"}))
    contacts(("1", "02", {"email": "a@example.com", "phone": "12"}))
    assert [("email", False), ("phone", True)] == issues(load, "field, closed_at is null")
    assert [(2,), (None,)] == issues(load, "closed_run_id")
    contacts(("1", "03", {"email": None, "phone": None}))
    assert [("email", False), ("phone", False)] == issues(load, "field, closed_at is null")
    contacts(("1", "04", {"email": "nobody"}))
    assert [("email", False), ("phone", False), ("email", True)] == issues(load, "field, closed_at is null")


def test_another_bad_value_is_the_same_issue_with_another_original(load: Loader, contacts: Any) -> None:
    contacts(("1", "01", {"email": "nobody"}))
    contacts(("1", "02", {"email": "no one"}))
    assert [("1", "email", "invalid_email", "no one", True)] == issues(load)


def test_the_same_rows_again_write_nothing(load: Loader, contacts: Any) -> None:
    rows = [(str(number), "01", {"email": "nobody"}) for number in range(5)]
    contacts(*rows)
    before = issues(load, "xmin::text, issue_id")
    contacts(*rows)
    assert before == issues(load, "xmin::text, issue_id")


def test_a_stale_version_opens_and_closes_nothing(load: Loader, contacts: Any) -> None:
    contacts(("1", "05", {"email": "a@example.com"}), ("2", "05", {"email": "nobody"}))
    contacts(("1", "01", {"email": "nobody"}), ("2", "01", {"email": "a@example.com"}))
    assert [("2", "email", "invalid_email", "nobody", True)] == issues(load)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_versions_in_one_batch_the_newer_one_counts(load: Loader, contacts: Any, order: int) -> None:
    versions = [("1", "01", {"email": "nobody"}), ("1", "02", {"email": "a@example.com"})]
    contacts(*versions[::order])
    assert [] == issues(load)
    versions = [("2", "01", {"email": "a@example.com"}), ("2", "02", {"email": "nobody"})]
    contacts(*versions[::order])
    assert [("2", "email", "invalid_email", "nobody", True)] == issues(load)


def test_a_record_that_lacks_the_field_leaves_its_issue_alone(load: Loader, contacts: Any) -> None:
    contacts(("1", "01", {"email": "nobody"}))
    contacts({"id": "1", "updatedAt": "2026-01-02T00:00:00Z", "properties": {"phone": "415-555-2671"}})
    assert [("1", "email", "invalid_email", "nobody", True)] == issues(load)


def test_a_deleted_record_has_no_issue(load: Loader, contacts: Any) -> None:
    contacts(("1", "01", {"email": "nobody"}))
    contacts({"id": "1", "updatedAt": "2026-01-01T00:00:00Z", "_sdc_deleted_at": "2026-01-02T00:00:00Z"})
    assert [("1", "email", "invalid_email", "nobody", False)] == issues(load)


def test_a_level_of_off_records_nothing_and_strict_rejects(load: Loader, contacts: Any) -> None:
    levels = {"contacts.email": "off", "contacts.phone": "strict"}
    contacts(("1", "01", {"email": "nobody"}), ("2", "01", {"phone": "12"}), validation=levels)
    assert [] == issues(load)
    assert [("1", None)] == load.database.query("select source_id, email from crm.contacts")
    assert [("properties.phone", "invalid_phone")] == load.database.query(
        "select field, error_class from _crmdb.rejects"
    )


def test_a_row_that_the_server_refuses_has_no_issue(load: Loader, contacts: Any) -> None:
    far = contact("1", "01", {"email": "nobody"}) | {"updatedAt": "2026-01-01T00:00:00+15:59"}
    bad = contact("2", "01", {"email": "nobody"}) | {"updatedAt": "9999-12-31T23:59:59-15:59"}
    worse = contact("3" * 9000, "01", {"email": "nobody"})  # too long for an index
    worse["id"] = "".join(chr(33 + (number * 7919) % 9000) for number in range(9000))
    contacts(far, bad, worse)
    assert [("1",), ("2",)] == load.database.query("select id from hubspot.contacts order by 1")
    assert [("1",), ("2",)] == issues(load, "key")


def test_a_table_without_a_key_has_one_issue_for_all_records(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"properties": PROPERTIES}) | {"key_properties": []}
    records = [
        singer.record({"id": str(n), "properties": {"email": "nobody", "phone": None, "zip": None}}) for n in (1, 2)
    ]
    for _ in range(2):
        load(schema, *records, source="hubspot", default_target_schema="hubspot")
    assert [("", "email", "invalid_email", "nobody", True)] == issues(load)


def test_a_composite_key_is_joined_by_a_colon(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"part": {"type": "integer"}, "properties": PROPERTIES}) | {"key_properties": ["id", "part"]}
    record = {"id": "a", "part": 1, "properties": {"email": "nobody", "phone": None, "zip": None}}
    load(schema, singer.record(record), source="hubspot", default_target_schema="hubspot")
    load(schema, singer.record({**record, "part": 2}), source="hubspot", default_target_schema="hubspot")
    clean = {**record, "properties": {"email": "a@example.com", "phone": None, "zip": None}}
    load(schema, singer.record(clean), source="hubspot", default_target_schema="hubspot")
    assert [("a:1", False), ("a:2", True)] == issues(load, "key, closed_at is null")


def test_a_dry_run_records_nothing(load: Loader, contacts: Any, tmp_path: Any) -> None:
    contacts(("1", "01", {"email": "a@example.com"}))
    contacts(("1", "02", {"email": "nobody"}), dry_run=True, dry_run_report=str(tmp_path / "report.json"))
    assert [] == issues(load)


@pytest.mark.parametrize("value", ["", " ", "N/A"])
def test_d07_an_empty_text_is_null_and_what_says_nothing_is_an_issue(load: Loader, singer: Singer, value: str) -> None:
    """D07, in a number, a day and a yes or no that came as texts."""
    properties = {"type": "object", "properties": {"annualrevenue": TEXT, "numberofemployees": TEXT}}
    record = {"id": "1", "properties": {"annualrevenue": value, "numberofemployees": value}}
    schema = singer.schema({"properties": properties}) | {"stream": "companies"}
    load(schema, singer.record(record) | {"stream": "companies"}, source="hubspot", default_target_schema="hubspot")
    assert [(None, None)] == load.database.query("select annual_revenue, employees from crm.companies")
    expected = [("annual_revenue", "not_number"), ("employees", "not_number")] if value else []
    assert expected == sorted(issues(load, "field, rule"))


def test_d08_a_locales_number_is_read_only_where_the_mapping_says_so(load: Loader, singer: Singer) -> None:
    properties = {"type": "object", "properties": {"annualrevenue": TEXT}}
    schema = singer.schema({"properties": properties}) | {"stream": "companies"}
    record = singer.record({"id": "1", "properties": {"annualrevenue": "1.234,50"}}) | {"stream": "companies"}
    load(schema, record, source="hubspot", default_target_schema="hubspot")
    assert [("annual_revenue", "1.234,50")] == issues(load, "field, original")
    fields = {"properties.annualrevenue": {"field": "annual_revenue", "type": "money", "locale": "de"}}
    own = {"streams": {"companies": {"fields": fields}}}
    load(schema, record, source="hubspot", default_target_schema="hubspot", mapping=own)
    assert [("1234.50",)] == load.database.query("select annual_revenue::text from crm.companies")
    assert [(False,)] == issues(load, "closed_at is null")


@pytest.mark.parametrize(
    ("word", "expected"), [("yes", True), ("TRUE", True), ("f", False), ("0", False), ("ja", None)]
)
def test_d18_the_words_for_yes_and_no(load: Loader, singer: Singer, word: str, expected: bool | None) -> None:
    properties = {"type": "object", "properties": {"hs_email_optout": TEXT}}
    schema = singer.schema({"properties": properties})
    load(
        schema,
        singer.record({"id": "1", "properties": {"hs_email_optout": word}}),
        source="hubspot",
        default_target_schema="hubspot",
    )
    assert [(expected,)] == load.database.query("select email_opt_out from crm.contacts")
    assert ([("email_opt_out", "ja")] if expected is None else []) == issues(load, "field, original")


def test_the_country_of_a_mapping_is_that_of_all_its_fields(load: Loader, contacts: Any) -> None:
    british = {"phone": "020 7946 0958", "zip": "sw1a 1aa"}
    contacts(("1", "01", british))
    assert ["phone", "zip_code"] == sorted(row[0] for row in issues(load, "field"))
    contacts(("1", "01", british), mapping={"country": "GB"})
    query = "select phone, zip_code from crm.contacts"
    assert [("+442079460958", "SW1A 1AA")] == load.database.query(query)
    assert [(False,), (False,)] == issues(load, "closed_at is null")


def test_a_country_that_is_unknown_is_told(contacts: Any) -> None:
    with pytest.raises(ConfigError, match=r"country: country 'Britain' is not known; give its two letters"):
        contacts(mapping={"country": "Britain"})
