"""One form of a record, whichever API served it."""

from __future__ import annotations

import gzip
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_salesforce.columns import Columns
from tap_salesforce.csv_rows import BrokenResultError, csv_rows
from tap_salesforce.objects import Field, SObject
from tap_salesforce.rows import RowForm
from tap_salesforce.values import from_csv, from_rest

Json = dict[str, Any]


def thing(*fields: Field) -> SObject:
    return SObject("Thing__c", fields=(Field("Id", "id"), *fields))


def form(*fields: Field) -> RowForm:
    whole = thing(*fields)
    return RowForm(Columns.of(whole, [field.name for field in whole.fields]))


@pytest.mark.parametrize(
    ("kind", "rest", "text", "expected"),
    [
        ("boolean", True, "true", True),
        ("boolean", False, "false", False),
        ("int", 7, "7.0", 7),
        ("int", Decimal("0.0"), "0.0", 0),
        ("int", None, "", None),
        ("long", 2**60, str(2**60), 2**60),
        ("double", Decimal("12.50"), "12.50", Decimal("12.5")),
        ("currency", 100, "100.0", 100),
        ("currency", Decimal("100.0"), "100.00", 100),
        ("percent", Decimal("1.0E7"), "1.0E7", 10_000_000),
        ("double", Decimal("1E-9"), "1.0E-9", Decimal("1E-9")),
        ("double", Decimal("-0.0"), "-0.0", 0),
        ("double", Decimal("1E300"), "1.0E300", Decimal("1E300")),
        ("double", None, "", None),
        ("datetime", "2026-11-01T08:00:00.000+0000", "2026-11-01T08:00:00.000Z", "2026-11-01T08:00:00.000Z"),
        ("date", "2026-11-01", "2026-11-01", "2026-11-01"),
        ("time", "14:30:00.000Z", "14:30:00.000Z", "14:30:00.000"),
        ("string", "NA", "NA", "NA"),
        ("string", "01234", "01234", "01234"),
        ("string", " ", " ", " "),
        ("string", None, "", None),
        ("textarea", "two\r\nlines", "two\r\nlines", "two\r\nlines"),
        ("anyType", True, "true", "true"),
        ("anyType", Decimal("5.0"), "5.0", "5.0"),
        ("anyType", "2026-11-01T08:00:00.000+0000", "2026-11-01T08:00:00.000Z", "2026-11-01T08:00:00.000Z"),
        ("anyType", None, "", None),
        ("multipicklist", "A;B", "A;B", "A;B"),
    ],
)
def test_both_apis_give_one_value(kind: str, rest: object, text: str, expected: object) -> None:
    field = Field("F__c", kind)
    one, other = from_rest(field)([rest]), from_csv(field)([text])
    assert repr([expected]) == repr(one) == repr(other)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_numbers_keep_their_value_in_either_form(value: Decimal) -> None:
    field = Field("F__c", "double")
    (one,), (other,) = from_rest(field)([value]), from_csv(field)([str(value)])
    assert one == other == value
    assert str(one) == str(other)


def test_an_address_is_made_of_its_parts() -> None:
    parts = ("HomeCity", "HomeStreet", "HomeGeocodeAccuracy")
    fields = (*(Field(name, "string", compound="HomeAddress") for name in parts), Field("HomeAddress", "address"))
    record, nothing = form(*fields).of_csv([("1", "Bonn", "", ""), ("2", "", "", "")])
    assert record["HomeAddress"] == {"city": "Bonn", "geocodeAccuracy": None, "street": None}
    assert list(record["HomeAddress"]) == sorted(record["HomeAddress"])
    assert nothing["HomeAddress"] is None


def test_a_custom_place_is_made_of_its_parts() -> None:
    parts = ("Spot__Latitude__s", "Spot__Longitude__s")
    fields = (*(Field(name, "double", compound="Spot__c") for name in parts), Field("Spot__c", "location"))
    (record,) = form(*fields).of_csv([("1", "1.5", "-2.0")])
    assert record["Spot__c"] == {"latitude": Decimal("1.5"), "longitude": -2}


def test_parts_that_nobody_wants_are_queried_but_not_sent() -> None:
    whole = thing(Field("City", "string", compound="Address"), Field("Address", "address"))
    columns = Columns.of(whole, ["Id", "Address"])
    assert columns.names == ("Id", "City")
    (record,) = RowForm(columns).of_rest([{"attributes": {}, "Id": "1", "City": "Bonn"}])
    assert record == {"Id": "1", "Address": {"city": "Bonn"}, "_sdc_deleted_at": None}


def test_a_deleted_record_says_when() -> None:
    fields = (Field("IsDeleted", "boolean"), Field("SystemModstamp", "datetime"))
    gone, live = form(*fields).of_csv([("1", "true", "2026-11-01T00:00:00.000Z"), ("2", "false", "x")])
    assert gone["_sdc_deleted_at"] == "2026-11-01T00:00:00.000Z"
    assert live["_sdc_deleted_at"] is None


def test_what_bulk_cannot_give_goes_apart() -> None:
    whole = thing(Field("Body", "base64"), Field("Layout", "string", soap_type="urn:SearchLayoutField"))
    columns = Columns.of(whole, [field.name for field in whole.fields])
    assert columns.names == ("Id",)
    assert [[field.name for field in group] for group in columns.apart] == [["Layout"]]
    assert [field.name for field in columns.blobs] == ["Body"]


def test_more_columns_than_a_query_holds_are_spread_over_several() -> None:
    whole = thing(
        Field("SystemModstamp", "datetime"), *(Field(f"Field{number:03}__c", "string") for number in range(100))
    )
    columns = Columns.of(whole, [field.name for field in whole.fields], most=300)
    groups = [list(columns.names), *([field.name for field in group] for group in columns.apart)]
    assert {"Id", "SystemModstamp"} <= set(columns.names)
    assert sorted(name for group in groups for name in group) == sorted(field.name for field in whole.fields)
    assert all(len(",".join(group)) <= 330 for group in groups)


def test_the_parts_of_an_address_stay_together_wherever_they_go() -> None:
    cities = [Field(f"P{n}City", "string", compound=f"P{n}Address") for n in range(9)]
    streets = [Field(f"P{n}Street", "string", compound=f"P{n}Address") for n in range(9)]
    whole = thing(*cities, *streets, *(Field(f"P{n}Address", "address") for n in range(9)))
    columns = Columns.of(whole, [field.name for field in whole.fields], most=60)
    groups = [columns, *(columns.alone(group) for group in columns.apart)]
    assert len(groups) == 3
    assert sorted(f"P{n}Address" for n in range(9)) == sorted(each.name for group in groups for each in group.compounds)
    for group in groups:
        (record,) = RowForm(group).of_csv([["x"] * len(group.names)])
        assert all(record[each.name] == {"city": "x", "street": "x"} for each in group.compounds)


def page(text: str) -> io.BytesIO:
    return io.BytesIO(gzip.compress(text.encode()))


def slices(file: io.BytesIO, **options: Any) -> list[list[list[str]]]:
    return list(csv_rows(file, ("Id", "Text"), gzipped=True, **options))


def test_values_keep_newlines_quotes_nul_and_odd_separators() -> None:
    odd = 'a "b", c\r\nd\n\ne\x00f\x85g\u2028h\x0bi'
    quoted = odd.replace('"', '""')
    assert slices(page(f'"Id","Text"\n"1","{quoted}"\n"2",""\n')) == [[["1", odd], ["2", ""]]]


def test_rows_come_in_slices_and_some_may_be_left_out() -> None:
    text = '"Id","Text"\n' + "".join(f'"{number}","x"\n' for number in range(7))
    found = slices(page(text), size=3, skip=2)
    assert [["2", "3", "4"], ["5", "6"]] == [[row[0] for row in each] for each in found]


def test_a_long_value_is_no_fault() -> None:
    long = "x" * 400_000
    assert slices(page(f'"Id","Text"\n"1","{long}"\n')) == [[["1", long]]]


@pytest.mark.parametrize("at", [30, 60, 90])
def test_a_page_that_was_cut_is_told(at: int) -> None:
    whole = gzip.compress(('"Id","Text"\n' + "".join(f'"{number}","{number**9}"\n' for number in range(99))).encode())
    with pytest.raises(BrokenResultError):
        slices(io.BytesIO(whole[:at]))


def test_a_row_that_was_cut_is_told() -> None:
    with pytest.raises(BrokenResultError):
        slices(page('"Id","Text"\n"1","x'))


def test_other_columns_are_told() -> None:
    with pytest.raises(BrokenResultError):
        slices(page('"Id","Other"\n"1","x"\n'))


def test_a_record_of_csv_and_one_of_rest_are_the_same_bytes() -> None:
    fields = (Field("A__c", "currency"), Field("When__c", "datetime"), Field("No__c", "boolean"))
    one = form(*fields).of_csv([("1", "5.10", "2026-11-01T00:00:00.000Z", "false")])
    rest = {"When__c": "2026-11-01T00:00:00.000+0000", "No__c": False, "A__c": Decimal("5.1"), "Id": "1"}
    other = form(*fields).of_rest([{"attributes": {}, **rest}])
    assert json.dumps(one, default=str) == json.dumps(other, default=str)
