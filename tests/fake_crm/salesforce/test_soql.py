"""SOQL: what rows a condition wants, and in which words a wrong query is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_crm import FakeSalesforce

ROWS: tuple[dict[str, Any], ...] = (
    {"Text__c": "Alpha", "Decimal__c": "1.5", "Day__c": "2026-10-31", "Moment__c": "2026-10-31T23:59:59Z",
     "Flag__c": True, "Colors__c": "Blue;Red", "Hour__c": "09:30:00", "Color__c": "Red"},
    {"Text__c": "beta", "Decimal__c": "-2", "Day__c": "2026-11-01", "Moment__c": "2026-11-01T00:00:00Z",
     "Colors__c": "Green", "Hour__c": "17:00:00"},
    {"Text__c": "50%_off", "Decimal__c": "1000000000.25", "Day__c": "2026-11-02", "Moment__c": "2026-11-02T10:00:00Z",
     "Colors__c": "Blue;Green;Red", "Flag__c": True},
    {"Day__c": "2025-01-01", "Moment__c": "2025-06-30T12:00:00Z"},
)  # fmt: skip


@pytest.fixture
def four(bare: FakeSalesforce, client_of: Any) -> Any:
    """A client of an org with four records, named by their order."""
    people = {"Username": "a", "Email": "a@example.com", "Alias": "a"}
    bare.org.create("User", {"LastName": "Zero", **people})
    owner = bare.org.create("User", {"LastName": "Able", **people})
    for at, values in enumerate(ROWS):
        more = {"OwnerId": owner} if at else {}
        bare.org.create("Everything__c", {"Name": str(at), **values, **more})
    return client_of(bare)


def wanted(client: Any, where: str) -> str:
    return "".join(sorted(row["Name"] for row in client.rows(f"SELECT Name FROM Everything__c WHERE {where}")))


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Text__c = 'ALPHA'", "0"),
        ("Text__c != 'alpha'", "123"),
        ("Text__c = null", "3"),
        ("Text__c != null", "012"),
        ("Text__c > 'alpha'", "1"),
        ("Text__c LIKE 'A%'", "0"),
        ("Text__c LIKE '%\\%\\_off'", "2"),
        ("Text__c LIKE '_eta'", "1"),
        ("Text__c IN ('beta', 'Alpha')", "01"),
        ("Text__c NOT IN ('beta', 'Alpha')", "23"),
        ("Decimal__c > 1", "02"),
        ("Decimal__c <= 1.50", "01"),
        ("Decimal__c = 1.5e0", "0"),
        ("Flag__c = true", "02"),
        ("Flag__c = FALSE", "13"),
        ("Day__c = 2026-11-01", "1"),
        ("Day__c >= TODAY", "12"),
        ("Day__c = YESTERDAY", "0"),
        ("Day__c = LAST_YEAR", "3"),
        ("Day__c = THIS_MONTH", "12"),
        ("Day__c = LAST_N_DAYS:1", "01"),
        ("Day__c < LAST_N_DAYS:1", "3"),
        ("Day__c != TODAY AND Day__c != TOMORROW", "03"),
        ("Moment__c < 2026-11-01T00:00:00Z", "03"),
        ("Moment__c >= 2026-11-01T01:00:00+01:00", "12"),
        ("Moment__c = 2026-11-01T00:00:00.000Z", "1"),
        ("Moment__c = TODAY", "1"),
        ("Hour__c > 12:00:00.000Z", "1"),
        ("Colors__c INCLUDES ('Red')", "02"),
        ("Colors__c INCLUDES ('Red;Green', 'Green')", "12"),
        ("Colors__c EXCLUDES ('Red')", "13"),
        ("Color__c = 'Red' OR (Flag__c = false AND Text__c != null)", "01"),
        ("NOT Flag__c = true", "13"),
        ("NOT (Flag__c = true OR Text__c = null)", "1"),
        ("Flag__c = true AND Text__c != null AND Decimal__c > 5", "2"),
        ("Owner.Name = 'Able'", "123"),
        ("everything__c.TEXT__C = 'beta'", "1"),
    ],
)
def test_a_condition_wants_these_rows(four: Any, where: str, names: str) -> None:
    assert names == wanted(four, where)


def test_ids_compare_in_both_lengths_and_with_case(four: Any) -> None:
    ids = sorted(four.ids("SELECT Id FROM Everything__c"))
    assert "0" == wanted(four, f"Id = '{ids[0]}'")
    assert "0" == wanted(four, f"Id = '{ids[0][:15]}'")
    assert "23" == wanted(four, f"Id > '{ids[1]}'")


def test_semi_joins(fake: FakeSalesforce, client: Any) -> None:
    with_contacts = {row["AccountId"] for row in fake.org.records("Contact")} - {None}
    assert with_contacts == set(client.ids("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)"))
    without = set(client.ids("SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)"))
    assert without == {row["Id"] for row in fake.org.records("Account")} - with_contacts


def test_order_limit_offset_and_empty_values_first(four: Any) -> None:
    def ordered(by: str) -> str:
        return "".join(row["Name"] for row in four.rows(f"SELECT Name FROM Everything__c ORDER BY {by}"))

    assert "3102" == ordered("Decimal__c")
    assert "1023" == ordered("Decimal__c ASC NULLS LAST")
    assert "3201" == ordered("Decimal__c DESC")
    assert "1302" == ordered("Flag__c, Decimal__c DESC NULLS LAST").replace("20", "02")
    assert "10" == ordered("Decimal__c LIMIT 2 OFFSET 1")


def test_counts_and_other_aggregates(four: Any) -> None:
    assert {"totalSize": 3, "done": True, "records": []} == four.get(
        "/query", q="SELECT count() FROM Everything__c WHERE Decimal__c != null"
    ).json()
    soql = "SELECT COUNT(Id) n, MIN(Moment__c), MAX(Decimal__c) most, SUM(Decimal__c) FROM Everything__c"
    (row,) = four.rows(soql)
    assert {
        "attributes": {"type": "AggregateResult"},
        "n": 4,
        "expr1": "2025-06-30T12:00:00.000+0000",
        "most": 1000000000.25,
        "expr3": 999999999.75,
    } == row
    found = four.rows("SELECT Flag__c, COUNT(Id) n FROM Everything__c GROUP BY Flag__c")
    assert {True: 2, False: 2} == {row["Flag__c"]: row["n"] for row in found}


def test_all_fields_in_one_word(four: Any) -> None:
    (row,) = four.rows("SELECT FIELDS(ALL) FROM Everything__c LIMIT 1")
    assert {"Id", "Text__c", "Site__c", "SystemModstamp"} <= set(row)
    (row,) = four.rows("SELECT FIELDS(STANDARD) FROM Everything__c LIMIT 1")
    assert "Text__c" not in row


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT X FROM Account", "INVALID_FIELD", "ERROR at Row:1:Column:8\nNo such column 'X' on entity 'Account'."),
        ("SELECT Id FROM Account WHERE X = 1", "INVALID_FIELD", "Row:1:Column:30\nNo such column 'X'"),
        ("SELECT Owner.X FROM Account", "INVALID_FIELD", "No such column 'X' on entity 'User'"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Boss' in field path."),
        ("SELECT Id FROM Xyz", "INVALID_TYPE", "sObject type 'Xyz' is not supported. If you are attempting to use"),
        ("SELECT Id FROM AccountChangeEvent", "INVALID_TYPE_FOR_OPERATION", "ChangeEvent does not support query"),
        ("SELECT Id Account", "MALFORMED_QUERY", "unexpected token: 'Account'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Id = null OR Id != null", "MALFORMED_QUERY", "token: 'OR'"),
        ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Account OFFSET 2001", "MALFORMED_QUERY", "Maximum SOQL offset allowed is 2000"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD",
         "value of filter criterion for field 'SystemModstamp' must be of type dateTime and should not be enclosed in"),
        ("SELECT Id FROM Account WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'x'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Account WHERE Id LIKE 'a'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Account WHERE Description = 'a'", "INVALID_FIELD", "'Description' can not be filtered"),
        ("SELECT Id FROM Account WHERE BillingAddress = 'a'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted in a query call"),
        ("SELECT Industry, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped or aggregated: Industry"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT Id FROM Account WHERE Name = '" + "x" * 4001 + "'", "MALFORMED_QUERY", "longer than 4,000"),
        ("SELECT Id, (SELECT Id FROM Nonsense) FROM Account", "INVALID_FIELD", "relationship 'Nonsense'"),
        ("SELECT Id FROM FieldDefinition", "MALFORMED_QUERY",
         "a filter on a reified column is required [EntityDefinitionId,DurableId]"),
        ("SELECT Id FROM ContentDocumentLink LIMIT 1", "MALFORMED_QUERY", "requires a filter by a single Id"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY", "requires a filter by a single Id on ContentDocum"),
        ("SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId > '069000000000001AAA'", "MALFORMED_QUERY",
         "Implementation restriction"),
        ("SELECT Id FROM Reading__b WHERE Value__c = 1", "INVALID_FIELD", "index"),
        ("SELECT Id FROM Reading__b WHERE Read_At__c > 2026-01-01T00:00:00Z", "INVALID_FIELD", "index"),
        ("SELECT count() FROM Reading__b", "MALFORMED_QUERY", "neither ORDER BY nor aggregates"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused_in_their_words(client: Any, soql: str, code: str, words: str) -> None:
    status, found, message = client.refusal(soql)
    assert (400, code) == (status, found), message
    assert words in message


def test_objects_that_need_a_filter_answer_with_one(fake: FakeSalesforce, client: Any) -> None:
    link = fake.org.records("ContentDocumentLink")[0]
    where = f"ContentDocumentId IN ('{link['ContentDocumentId']}')"
    assert link["Id"] in client.ids(f"SELECT Id FROM ContentDocumentLink WHERE {where}")
    entity = fake.org.records("FieldDefinition")[0]["EntityDefinitionId"]
    assert client.ids(f"SELECT Id FROM FieldDefinition WHERE EntityDefinitionId = '{entity}'")


def test_a_query_may_have_100000_characters(client: Any) -> None:
    soql = "SELECT Id FROM Account WHERE Name IN (" + ",".join(["'a'"] * 30_000)
    body = {"compositeRequest": [{"method": "GET", "url": "", "referenceId": "q"}]}
    for query, status in ((soql[:90_001] + ")", 200), (soql[:100_001], 400)):
        body["compositeRequest"][0]["url"] = f"/services/data/v66.0/query?q={query.replace(' ', '+')}"
        assert status == client.post("/composite", body).json()["compositeResponse"][0]["httpStatusCode"]
