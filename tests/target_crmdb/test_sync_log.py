"""The lines that a run logs have the forms of the architecture guide, and no value unless it is asked for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Message, Singer

TEXT: Message = {"type": ["string", "null"]}


@pytest.fixture
def lines(load: Loader, singer: Singer, caplog: pytest.LogCaptureFixture) -> Callable[..., list[str]]:
    """Loads records as tap-hubspot would; gives the lines logged of them, each behind its level."""

    def run(*records: dict[str, Any], stream: str = "contacts", state: Any = None, **settings: Any) -> list[str]:
        names = ("email", "phone", "firstname", "annualrevenue")
        properties = {"type": ["object", "null"], "properties": dict.fromkeys(names, TEXT)}
        schema = singer.schema({"url": TEXT, "properties": properties}, stream=stream)
        del schema["schema"]["properties"]["at"]
        messages: list[Message] = [schema]
        for one in records:
            whole = {"url": f"https://app.example.com/{one['id']}", **one}
            whole["properties"] = dict.fromkeys(names) | one["properties"]
            messages.append(singer.record(whole, stream=stream))
        if state is not None:
            messages.append({"type": "STATE", "value": state})
        caplog.clear()
        with caplog.at_level(logging.INFO):
            load(*messages, **{"source": "hubspot", "default_target_schema": "hubspot", **settings})
        return [f"{one.levelname}: {one.getMessage()}" for one in caplog.records if one.name.endswith("sync_log")]

    return run


def test_beginning_and_end_of_a_stream(lines: Any) -> None:
    good = {"firstname": "A", "email": "a@example.com"}
    said = lines({"id": "1", "properties": good}, {"id": "2", "properties": good}, stream="contacts")
    assert [
        "INFO: Starting hubspot contacts sync with an unknown number of records",
        "INFO: Completed hubspot contacts sync: 2 created, 0 updated, 0 failed",
    ] == said
    state = {"bookmarks": {}, "run": {"status": "complete", "streams": {"contacts": {"expected": 5000}}}}
    said = lines({"id": "1", "properties": {**good, "firstname": "B"}}, stream="contacts", state=state)
    assert [
        "INFO: Starting hubspot contacts sync with 5000 records",
        "INFO: Completed hubspot contacts sync: 0 created, 1 updated, 0 failed",
    ] == said


def test_a_value_without_a_normal_form_is_a_warning(lines: Any) -> None:
    said = lines({"id": "123", "properties": {"firstname": "A", "email": "nobody", "phone": "415-555-2671"}})
    text = "WARNING: Validation warning for field 'email' with value '{}' (Record: id=123): {}"
    reason = "is not an e-mail address: it has no @"
    assert text.format("…", reason) in said
    said = lines({"id": "123", "properties": {"firstname": "A", "email": "somebody", "phone": None}}, log_values=True)
    assert text.format("somebody", reason) in said


def test_a_number_that_is_none_is_a_warning(lines: Any) -> None:
    said = lines({"id": "123", "properties": {"annualrevenue": "1.234,50"}}, stream="companies")
    assert "WARNING: Failed to parse decimal value: '…' in field 'annual_revenue' for hubspot 123" in said


def test_a_broken_rule_is_a_warning(lines: Any) -> None:
    said = lines({"id": "123", "properties": {"firstname": "A"}})
    rule = "WARNING: Validation warning for rule 'contacts.no_email_or_phone' (Record: id=123): "
    assert f"{rule}has neither an e-mail address nor a phone number" in said


def test_a_record_that_is_rejected_is_an_error_with_its_page(lines: Any) -> None:
    record = {"id": "123", "properties": {"firstname": "A", "email": "nobody"}}
    said = lines(record, validation={"contacts.email": "strict"})
    assert (
        "ERROR: Error processing contacts 123: properties.email: is not an e-mail address: it has no @ - CRM URL: "
        "https://app.example.com/123 - Context: field=properties.email, class=invalid_email, stage=validate, line=2"
    ) in said
    assert "INFO: Completed hubspot contacts sync: 0 created, 0 updated, 1 failed" in said


def test_the_page_of_a_record_by_the_mappings_template(load: Loader, singer: Singer, caplog: Any) -> None:
    schema = singer.schema({"Email": TEXT}, stream="Contact")
    record = singer.record({"Id": "003A000001aBcDe", "id": "7", "Email": "nobody"}, stream="Contact")
    schema["schema"]["properties"]["Id"] = TEXT
    settings = {"source": "salesforce", "default_target_schema": "sf", "validation": {"*": "strict"}}
    load(schema, record, **settings, mapping={"base_url": "https://acme.example.com/"})
    assert "Error processing Contact 7: Email: " in caplog.text
    assert "CRM URL: https://acme.example.com/003A000001aBcDe - Context" in caplog.text


def test_repeated_lines_are_folded_with_their_number(lines: Any) -> None:
    records = [{"id": str(n), "properties": {"firstname": "A", "email": f"nobody{n}"}} for n in range(1, 11)]
    said = lines(*records, rules={"*": "off"})
    assert 3 == sum("Validation warning for field 'email'" in line for line in said)
    assert "WARNING: contacts: 7 more warnings for 'invalid_email' in field 'email'" in said
    assert "nobody" not in "".join(said)


@pytest.mark.parametrize("key", ["ada@example.com", "Ada Lovelace", "Lovelace"])
def test_a_key_that_may_be_a_persons_is_masked(lines: Any, key: str) -> None:
    said = lines({"id": key, "url": None, "properties": {"firstname": "A", "email": "nobody"}})
    assert any("(Record: id=…)" in line for line in said)
    assert key not in "".join(said)
