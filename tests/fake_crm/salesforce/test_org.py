"""The org's own edits: what stamps move, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm.salesforce.values import any_id, record_id

if TYPE_CHECKING:
    from fake_crm import FakeSalesforce

    Org = Any


@pytest.fixture
def org(bare: FakeSalesforce) -> Org:
    return bare.org


def stamps(org: Org, name: str, key: str) -> tuple[str, ...]:
    row = org.record(name, key)
    return tuple(row[each][11:19] for each in ("CreatedDate", "LastModifiedDate", "SystemModstamp"))


def test_ids_have_the_known_suffix() -> None:
    assert "001D000000IqhSLIAZ" == any_id("001D000000IqhSL")
    assert sorted(ids := [record_id("001", each) for each in (1, 9, 10, 35, 36, 61, 62, 3_843, 3_844)]) == ids


def test_who_moves_which_stamp(bare: FakeSalesforce, org: Org) -> None:
    key = org.create("Account", {"Name": "a"})
    bare.clock.advance(60)
    org.update("Account", key, {"Name": "b"})
    assert ("12:00:00", "12:01:00", "12:01:00") == stamps(org, "Account", key)
    bare.clock.advance(60)
    org.touch("Account", key)
    assert ("12:00:00", "12:01:00", "12:02:00") == stamps(org, "Account", key)
    bare.clock.advance(60)
    org.alter("Account", key, {"Name": "c"})
    assert ("12:00:00", "12:01:00", "12:02:00") == stamps(org, "Account", key)
    org.delete("Account", key)
    assert ("12:00:00", "12:03:00", "12:03:00") == stamps(org, "Account", key)


def test_an_import_may_back_date(org: Org) -> None:
    key = org.create("Account", {"Name": "a", "LastModifiedDate": "2020-01-01T00:00:00Z"})
    assert ("12:00:00", "00:00:00", "12:00:00") == stamps(org, "Account", key)


def test_formulas_follow_their_fields_and_change_without_a_stamp(bare: FakeSalesforce, org: Org) -> None:
    key = org.create("Everything__c", {"Decimal__c": "2.5", "Text__c": "a"})
    row = org.record("Everything__c", key)
    assert (Decimal("5.0000"), "A", False) == (row["Twice__c"], row["Shout__c"], row["Large__c"])
    bare.clock.advance(60)
    org.recalculate("Everything__c", key, {"Next_Day__c": "2026-12-24"})
    assert "2026-12-24" == org.record("Everything__c", key)["Next_Day__c"]
    assert ("12:00:00", "12:00:00", "12:00:00") == stamps(org, "Everything__c", key)
    with pytest.raises(ValueError, match="Text__c of Everything__c is no formula"):
        org.recalculate("Everything__c", key, {"Text__c": "b"})


def test_names_of_people_are_made_of_parts(org: Org) -> None:
    key = org.create("Contact", {"FirstName": "Ada", "LastName": "Berg"})
    assert "Ada Berg" == org.record("Contact", key)["Name"]
    org.update("Contact", key, {"FirstName": ""})
    assert ("Berg", None) == tuple(org.record("Contact", key)[name] for name in ("Name", "FirstName"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"Nonsense": 1}, "No such column 'Nonsense' on sobject of type Everything__c"),
        ({"Text__c": "x" * 256}, r"Text__c: data value too large \(max length=255\)"),
        ({"Text__c": 5}, "Text__c must be text"),
        ({"Fixed_Color__c": "Mauve"}, "restricted picklist"),
        ({"Tiny__c": 10}, "outside of valid range"),
        ({"Whole__c": 1.5}, "must be a whole number"),
        ({"Flag__c": "yes"}, "must be true or false"),
        ({"Moment__c": "2026-01-01T00:00:00"}, "must be an instant with a zone"),
        ({"Day__c": "2026-1-1"}, "must be a date"),
        ({"Account__c": "x"}, "must be an id"),
        ({"Site__c": {"latitude": 1}}, "made of its parts"),
    ],
)
def test_what_salesforce_would_not_keep(org: Org, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        org.create("Everything__c", values)


def test_values_are_kept_in_one_form(org: Org) -> None:
    key = org.create(
        "Everything__c",
        {"Color__c": "Mauve", "Colors__c": ["Red", "Blue"], "Decimal__c": 1.23456, "Text__c": "",
         "Moment__c": "2026-01-01T01:00:00+01:00", "Account__c": "001D000000IqhSL", "Hour__c": "09:30"},
    )  # fmt: skip
    row = org.record("Everything__c", key)
    assert ("Mauve", "Red;Blue", Decimal("1.2346"), None) == tuple(
        row[name] for name in ("Color__c", "Colors__c", "Decimal__c", "Text__c")
    )
    assert ("2026-01-01T00:00:00.000Z", "001D000000IqhSLIAZ", "09:30:00.000Z") == tuple(
        row[name] for name in ("Moment__c", "Account__c", "Hour__c")
    )


def test_merging_moves_what_pointed_to_the_losers(org: Org) -> None:
    winner, loser = org.create("Account", {"Name": "w"}), org.create("Account", {"Name": "l"})
    contact = org.create("Contact", {"LastName": "c", "AccountId": loser})
    org.merge("Account", winner, [loser])
    assert winner == org.record("Contact", contact)["AccountId"]
    assert [winner] == [row["Id"] for row in org.records("Account")]
    assert [winner, loser] == [row["Id"] for row in org.records("Account", deleted=True)]
    with pytest.raises(ValueError, match="cannot be merged"):
        org.merge("Task", winner, [loser])


def test_an_object_without_a_bin_loses_its_records_at_once(org: Org) -> None:
    key = org.create("User", {"LastName": "u", "Username": "u", "Email": "u@example.com", "Alias": "u"})
    org.delete("User", key)
    assert org.record("User", key) is None
    with pytest.raises(ValueError, match="User has no record"):
        org.update("User", key, {})


def test_rows_of_big_objects_are_apart_though_their_id_is_one(org: Org) -> None:
    for at in range(3):
        org.create("Reading__b", {"Device__c": record_id("a00", at), "Read_At__c": "2026-01-01T00:00:00Z"})
    assert 3 == len(org.records("Reading__b"))
