"""Fields as JSON schema: honest types, and nothing that would reject a good row."""

from __future__ import annotations

from typing import Any

import pytest

from tap_salesforce.objects import Field, SObject, lean
from tap_salesforce.schema import ADDRESS, ANYTHING, LOCATION, field_schema, object_schema

Json = dict[str, Any]


def field(kind: str, name: str = "X__c", **more: Any) -> Field:
    return Field.of({"name": name, "type": kind, **more})


@pytest.mark.parametrize(
    ("described", "schema"),
    [
        ({"type": "string", "length": 80}, {"type": ["string", "null"], "maxLength": 80}),
        ({"type": "textarea", "length": 32768}, {"type": ["string", "null"], "maxLength": 32768}),
        ({"type": "string", "length": 1300, "calculated": True}, {"type": ["string", "null"]}),
        ({"type": "picklist", "length": 255}, {"type": ["string", "null"]}),
        ({"type": "boolean"}, {"type": ["boolean", "null"]}),
        ({"type": "int", "digits": 8}, {"type": ["integer", "null"], "minimum": -(2**31), "maximum": 2**31 - 1}),
        ({"type": "long"}, {"type": ["integer", "null"]}),
        ({"type": "date"}, {"type": ["string", "null"], "format": "date"}),
        ({"type": "datetime"}, {"type": ["string", "null"], "format": "date-time"}),
        ({"type": "time"}, {"type": ["string", "null"], "format": "time"}),
        ({"type": "anyType"}, {"type": ["string", "null"]}),
        ({"type": "base64"}, {"type": ["string", "null"]}),
        ({"type": "something new"}, {"type": ["string", "null"]}),
        ({"type": "address", "soapType": "urn:address"}, ADDRESS),
        ({"type": "location", "soapType": "urn:location"}, LOCATION),
        ({"type": "complexvalue", "soapType": "urn:SearchLayoutButtonsDisplayed"}, ANYTHING),
        ({"type": "string", "soapType": "urn:JunctionIdListNames"}, ANYTHING),
    ],
)
def test_a_type_is_what_it_is(described: Json, schema: Json) -> None:
    made = field_schema(Field.of({"name": "X__c", **described}))
    made.pop("description", None)
    assert schema == made


@pytest.mark.parametrize("kind", ["double", "currency", "percent"])
def test_a_decimal_tells_its_digits_and_rejects_no_further_place(kind: str) -> None:
    made = field_schema(field(kind, precision=18, scale=2))
    assert {"type", "description"} == made.keys()
    assert ["number", "null"] == made["type"]
    assert f"{kind} of 18 digits, 2 of them behind the point" == made["description"]


@pytest.mark.parametrize(
    ("soap_type", "kind"),
    [("xsd:int", "int"), ("xsd:double", "double"), ("xsd:dateTime", "datetime"), ("xsd:string", "string")],
)
def test_a_calculated_field_has_the_type_of_its_result(soap_type: str, kind: str) -> None:
    assert kind == field("calculated", soapType=soap_type).type


def test_labels_help_and_targets_are_told() -> None:
    made = field_schema(
        field(
            "reference",
            "WhoId",
            label="Name",
            inlineHelpText="Whom it\nis about",
            referenceTo=["Contact", "Lead"],
            length=18,
        )
    )
    assert "Name" == made["title"]
    assert "Whom it is about; refers to Contact or Lead" == made["description"]
    assert 18 == made["maxLength"]


def test_picklist_values_are_told_but_bind_nobody() -> None:
    values = [{"value": f"v{number}", "active": number != 3} for number in range(60)]
    made = field_schema(field("picklist", restrictedPicklist=True, picklistValues=values))
    assert "enum" not in made
    assert made["description"].startswith("one of v0, v1, v2, v4,")
    assert made["description"].endswith(" and 19 more")


def test_parts_and_formulas_are_told() -> None:
    part = field("string", "BillingCity", compoundFieldName="BillingAddress", length=40)
    formula = field("currency", calculated=True)
    assert "part of BillingAddress" == field_schema(part)["description"]
    assert "calculated: changes without a new stamp" == field_schema(formula)["description"]


def described(name: str, *fields: str) -> Json:
    return {"name": name, "fields": [{"name": each, "type": "datetime"} for each in fields]}


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        (("CreatedDate", "LastModifiedDate", "SystemModstamp"), "SystemModstamp"),
        (("CreatedDate", "LastModifiedDate"), "LastModifiedDate"),
        (("CreatedDate",), "CreatedDate"),
        (("LoginTime",), "LoginTime"),
        (("Other",), None),
    ],
)
def test_the_best_stamp_is_the_replication_key(fields: tuple[str, ...], key: str | None) -> None:
    assert key == SObject.of(described("Thing__c", *fields)).replication_key


def test_a_stamp_that_cannot_be_filtered_is_no_replication_key() -> None:
    one = described("Thing__c", "SystemModstamp", "CreatedDate")
    one["fields"][0]["filterable"] = False
    assert "CreatedDate" == SObject.of(one).replication_key


def test_a_big_object_has_neither_id_nor_replication_key() -> None:
    big = SObject.of(described("Event__b", "Id", "CreatedDate"))
    assert big.is_big_object
    assert not big.has_id
    assert big.replication_key is None
    assert "required" not in object_schema(big)


def test_a_record_has_its_fields_and_the_time_of_its_deletion() -> None:
    schema = object_schema(SObject.of({"name": "Account", "fields": [{"name": "Id", "type": "id", "length": 18}]}))
    assert ["Id", "_sdc_deleted_at"] == list(schema["properties"])
    assert {"type": ["string"], "maxLength": 18} == schema["properties"]["Id"]
    assert ["Id"] == schema["required"]


def test_what_is_kept_of_a_description_is_all_that_is_read() -> None:
    whole = {
        "name": "Account",
        "label": "Account",
        "queryable": True,
        "childRelationships": [{}] * 50,
        "urls": {"describe": "/x"},
        "fields": [
            {"name": "Id", "type": "id", "length": 18, "byteLength": 18},
            {"name": "Stage", "type": "picklist", "picklistValues": [{"value": "a", "active": True}], "mask": None},
        ],
    }
    assert SObject.of(whole) == SObject.of(lean(whole))
    assert "childRelationships" not in lean(whole)
    assert [lean(whole)] == lean({"sobjects": [whole]})["sobjects"]
