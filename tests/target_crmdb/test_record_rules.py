"""Rules over one record: what breaks one is an issue, or rejected, or not asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import ConfigError, CrmdbError
from target_crmdb.validation.rules import RecordRule, own, shipped_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Message, Singer

RULES = {rule.name: rule for rule in shipped_rules()}
TEXT: Message = {"type": ["string", "null"]}


def broken(name: str, **record: Any) -> str | None:
    rule = RULES[name]
    return rule.check(dict.fromkeys(rule.names) | record)


@pytest.mark.parametrize(
    ("record", "is_broken"),
    [
        ({}, True),
        ({"email": "a@b.com"}, False),
        ({"phone": "1"}, False),
        ({"mobile_phone": "1"}, False),
        ({"email": ""}, True),
    ],
)
def test_a_contact_lacks_both_email_and_phone(record: dict[str, Any], is_broken: bool) -> None:
    assert is_broken == bool(broken("contacts.no_email_or_phone", **record))


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, rule in RULES.items() for field in rule.met_by])
def test_a_rule_that_one_field_meets_is_not_broken_with_it(name: str, field: str) -> None:
    assert broken(name, **{field: "anything"}) is None


@pytest.mark.parametrize(
    ("record", "is_broken"),
    [({}, True), ({"first_name": "A"}, False), ({"last_name": "B"}, False), ({"full_name": "A B"}, False)],
)
def test_a_contact_lacks_both_names(record: dict[str, Any], is_broken: bool) -> None:
    assert is_broken == bool(broken("contacts.no_name", **record))


@pytest.mark.parametrize(
    ("closed", "is_broken"),
    [(date(2026, 1, 8), True), (date(2026, 1, 9), False), (date(2026, 1, 10), False), (None, False)],
)
def test_a_deal_closes_before_it_was_created(closed: date | None, is_broken: bool) -> None:
    created = datetime(2026, 1, 10, 1, tzinfo=UTC)
    assert is_broken == bool(broken("deals.closes_before_created", close_date=closed, created_at=created))
    assert broken("deals.closes_before_created", close_date=closed) is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"is_won": True}, "is won and has no amount and no close_date"),
        ({"is_won": True, "amount": Decimal(0)}, "is won and has no close_date"),
        ({"is_won": True, "amount": Decimal(1), "close_date": date(2026, 1, 1)}, None),
        ({"is_won": False}, None),
        ({}, None),
    ],
)
def test_a_won_deal_without_amount_or_close_date(record: dict[str, Any], reason: str | None) -> None:
    assert reason == broken("deals.won_without_amount_or_close_date", **record)


@pytest.mark.parametrize(("amount", "is_broken"), [(Decimal("-0.01"), True), (Decimal(0), False), (None, False)])
def test_a_negative_amount(amount: Decimal | None, is_broken: bool) -> None:
    assert is_broken == bool(broken("deals.negative_amount", amount=amount))


@pytest.fixture
def hubspot(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads records as tap-hubspot would; all properties are texts, as some taps send them."""

    def run(stream: str, *records: dict[str, Any], **settings: Any) -> None:
        names = sorted({name for one in records for name in one.get("properties", {})})
        properties = {"type": ["object", "null"], "properties": dict.fromkeys(names, TEXT)}
        declared = {"createdAt": {"type": ["string", "null"], "format": "date-time"}, "properties": properties}
        schema = singer.schema(declared, stream=stream)
        del schema["schema"]["properties"]["at"]
        messages = (singer.record({"createdAt": None, **one}, stream=stream) for one in records)
        load(schema, *messages, **{"source": "hubspot", "default_target_schema": "hubspot", **settings})

    return run


def found(load: Loader) -> list[tuple[Any, ...]]:
    query = "select key, rule, closed_at is null from _crmdb.validation_issues where kind = 'record' order by issue_id"
    return list(load.database.query(query))


def test_a_record_that_breaks_a_rule_is_an_issue_until_it_does_not(load: Loader, hubspot: Any) -> None:
    hubspot("contacts", {"id": "1", "properties": {"email": "", "phone": None, "mobilephone": None, "lastname": "L"}})
    assert [("1", "contacts.no_email_or_phone", True)] == found(load)
    hubspot(
        "contacts", {"id": "1", "properties": {"email": "a@b.com", "phone": None, "mobilephone": None, "lastname": "L"}}
    )
    assert [("1", "contacts.no_email_or_phone", False)] == found(load)


def test_a_value_without_a_normal_form_is_none_to_a_rule(load: Loader, hubspot: Any) -> None:
    hubspot("contacts", {"id": "1", "properties": {"email": "nobody", "phone": "12", "lastname": "L"}})
    assert [("1", "contacts.no_email_or_phone", True)] == found(load)


def test_a_rule_is_asked_only_where_the_source_can_answer_it(load: Loader, hubspot: Any) -> None:
    hubspot("contacts", {"id": "1", "properties": {"firstname": None}})
    hubspot("deals", {"id": "1", "properties": {"hs_is_closed_won": "true", "amount": None}})
    assert [("1", "contacts.no_name", True)] == found(load)


def test_a_record_that_lacks_a_field_is_not_judged_by_it(load: Loader, hubspot: Any) -> None:
    hubspot("contacts", {"id": "1", "properties": {"email": "a@b.com", "phone": None}})
    hubspot(
        "contacts",
        {"id": "1", "properties": {"phone": None}},
        {"id": "2", "properties": {"email": None, "phone": None}},
    )
    assert [("2", "contacts.no_email_or_phone", True)] == found(load)


def test_the_deals_of_a_crm_that_sends_texts(load: Loader, hubspot: Any) -> None:
    deal = {"hs_is_closed_won": "true", "amount": "-5.00", "closedate": "2026-01-01"}
    hubspot("deals", {"id": "1", "createdAt": "2026-02-01T00:00:00Z", "properties": deal})
    hubspot("deals", {"id": "2", "properties": {**deal, "amount": "", "closedate": "soon"}})
    assert [
        ("1", "deals.closes_before_created"),
        ("1", "deals.negative_amount"),
        ("2", "deals.won_without_amount_or_close_date"),
    ] == sorted(one[:2] for one in found(load))


def test_words_that_the_mapping_translates(load: Loader, singer: Singer) -> None:
    number = {"type": ["number", "null"]}
    schema = singer.schema(
        {"id": {"type": "integer"}, "status": TEXT, "value": number, "close_time": TEXT}, stream="deals"
    )
    deals = [{"id": n, "status": status, "value": None, "close_time": None} for n, status in ((1, "won"), (2, "open"))]
    load(
        schema, *(singer.record(one, stream="deals") for one in deals), source="pipedrive", default_target_schema="pipe"
    )
    assert [("1", "deals.won_without_amount_or_close_date", True)] == found(load)


def test_levels(load: Loader, hubspot: Any) -> None:
    nobody = {"id": "1", "properties": {"email": None, "lastname": None}}
    hubspot("contacts", nobody, rules={"*": "off"})
    hubspot("contacts", nobody, rules={"contacts": "off"})
    assert [] == found(load)
    hubspot("contacts", {**nobody, "id": "2"}, rules={"*": "off", "contacts.no_name": "strict"})
    assert [("contacts.no_name", "has no name")] == load.database.query(
        "select error_class, reason from _crmdb.rejects"
    )
    assert [("1",)] == load.database.query("select id from hubspot.contacts")


class Entry:
    """An entry point as importlib.metadata gives it."""

    name, value = "mine", "mine:rule"

    def __init__(self, rule: object) -> None:
        self._rule = rule

    def load(self) -> object:
        if isinstance(self._rule, Exception):
            raise self._rule
        return self._rule


def test_a_rule_of_ones_own(load: Loader, hubspot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(record: Any) -> str | None:
        return "is from Mars" if record["country"] == "Mars" else None

    rule = RecordRule("contacts.from_mars", check, ("country",))
    monkeypatch.setattr(own, "entry_points", lambda group: [Entry(rule)] if group == own.GROUP else [])
    hubspot("contacts", *({"id": n, "properties": {"country": n, "lastname": n}} for n in ("Mars", "Chile")))
    assert [("Mars", "contacts.from_mars", True)] == found(load)


@pytest.mark.parametrize("rule", [ImportError("no"), "text", RecordRule("nameless", bool), RULES["contacts.no_name"]])  # type: ignore[arg-type]
def test_a_rule_that_cannot_be_used_is_told(rule: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "entry_points", lambda group: [Entry(rule)])  # noqa: ARG005
    with pytest.raises(ConfigError, match=r"mine|no_name"):
        own.all_rules()


def test_a_rule_that_fails_is_told_without_a_value(load: Loader, hubspot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(record: Any) -> str | None:
        return str(int(record["country"]))

    rule = RecordRule("contacts.fails", check, ("country",))
    monkeypatch.setattr(own, "entry_points", lambda group: [Entry(rule)])  # noqa: ARG005
    with pytest.raises(CrmdbError, match=r"contacts\.fails failed \(ValueError\)") as error:
        hubspot("contacts", {"id": "1", "properties": {"country": "Mars"}})
    assert "Mars" not in str(error.value)
    assert load.database.query("select count(*) from hubspot.contacts") == [(0,)]
