"""The queries' text."""

from __future__ import annotations

from datetime import UTC, datetime

from tap_salesforce.objects import Field, SObject
from tap_salesforce.parts import Part
from tap_salesforce.soql import Query, instant, quoted

LOW = datetime(2026, 11, 1, 8, 0, 0, 1999, tzinfo=UTC)
HIGH = datetime(2026, 11, 2, tzinfo=UTC)
ACCOUNT = Query("Account", ("Id", "Name"), key="SystemModstamp")


def test_a_window_is_half_open_and_cut_to_milliseconds_downwards() -> None:
    assert ACCOUNT.text(Part(LOW, HIGH)) == (
        "SELECT Id,Name FROM Account WHERE SystemModstamp >= 2026-11-01T08:00:00.001Z"
        " AND SystemModstamp < 2026-11-02T00:00:00.000Z"
    )


def test_without_bounds_there_is_no_condition() -> None:
    assert ACCOUNT.text(Part()) == "SELECT Id,Name FROM Account"


def test_the_users_condition_stands_in_parentheses() -> None:
    query = Query("Account", ("Id",), key="SystemModstamp", where="Type = 'A' OR Type = 'B'")
    expected = "SELECT Id FROM Account WHERE SystemModstamp >= 2026-11-01T08:00:00.001Z AND (Type = 'A' OR Type = 'B')"
    assert query.text(Part(LOW)) == expected


def test_a_read_in_order_goes_on_behind_an_id() -> None:
    part = Part(after="001000000000001AAA", until="001000000000009AAA")
    expected = (
        "SELECT Id,Name FROM Account WHERE Id > '001000000000001AAA' AND Id <= '001000000000009AAA' ORDER BY Id LIMIT 7"
    )
    assert expected == ACCOUNT.text(part, in_order=True, limit=7)


def test_what_has_no_id_has_no_order() -> None:
    assert Query("X__b", ("A__c",), has_id=False).text(Part(), in_order=True) == "SELECT A__c FROM X__b"


def test_an_id_that_cannot_be_sorted_by_gives_no_order() -> None:
    thing = SObject("Thing", fields=(Field("Id", "id", sortable=False),))
    query = Query.of(thing, ("Id",), where=None, with_deleted=True)
    assert query.text(Part(), in_order=True) == "SELECT Id FROM Thing"


def test_a_stamp_that_is_a_date_is_compared_with_dates() -> None:
    query = Query("Thing", ("Id",), key="CreatedDate", key_is_date=True)
    expected = "SELECT count() FROM Thing WHERE CreatedDate >= 2026-11-01 AND CreatedDate < 2026-11-02"
    assert query.count(Part(LOW, HIGH)) == expected


def test_a_key_that_is_none_bounds_nothing() -> None:
    assert Query("Thing", ("Id",)).text(Part(LOW, HIGH)) == "SELECT Id FROM Thing"


def test_records_by_id_are_found_whatever_the_condition_says() -> None:
    query = Query("Account", ("Id", "Bio"), key="SystemModstamp", where="Type = 'A'")
    assert query.by_ids(["a", "b"]) == "SELECT Id,Bio FROM Account WHERE Id IN ('a','b')"


def test_the_edges_of_a_part_are_looked_up_by_id_alone() -> None:
    query = Query("Account", ("Id",), where="Type = 'A'")
    assert query.edge(Part(after="a"), last=True) == "SELECT Id FROM Account WHERE Id > 'a' ORDER BY Id DESC LIMIT 1"


def test_quotes_and_backslashes_are_escaped() -> None:
    assert quoted(r"O'Neil \ Co") == r"'O\'Neil \\ Co'"


def test_instants_have_milliseconds() -> None:
    assert instant(LOW) == "2026-11-01T08:00:00.001Z"


def test_another_query_has_another_digest() -> None:
    digests = {Query("A", ("Id",)).digest(), Query("A", ("Id", "B")).digest(), Query("A", ("Id",), where="x").digest()}
    assert len(digests) == 3
