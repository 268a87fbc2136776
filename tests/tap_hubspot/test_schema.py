"""The properties API's definitions as JSON schema."""

from __future__ import annotations

from typing import Any

import pytest

from tap_hubspot.schema import BOOLEAN, DATE, INSTANT, NUMBER, TEXT, PropertySchemas, object_schema, property_schema


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"type": "string", "fieldType": "text"}, TEXT),
        ({"type": "number", "fieldType": "number"}, NUMBER),
        ({"type": "number", "fieldType": "calculation_equation"}, NUMBER),
        ({"type": "bool", "fieldType": "booleancheckbox"}, BOOLEAN),
        ({"type": "date", "fieldType": "text"}, DATE),
        ({"type": "datetime", "fieldType": "date"}, INSTANT),
        ({"type": "enumeration", "fieldType": "checkbox"}, TEXT),
        ({"type": "phone_number"}, TEXT),
        ({"type": "json"}, TEXT),
        ({"type": "object_coordinates"}, TEXT),
        ({"type": "invented_tomorrow"}, TEXT),
        ({}, TEXT),
        ({"type": "number", "referencedObjectType": "OWNER"}, TEXT),
    ],
)
def test_the_type_decides_and_not_the_field_type(definition: dict[str, str], expected: dict[str, Any]) -> None:
    assert property_schema({"name": "p", **definition}) == expected


@pytest.mark.parametrize("name", ["hs_object_id", "associatedcompanyid", "hs_hd_ticket_ids", "hs_created_by_user_id"])
def test_ids_stay_text_though_declared_as_numbers(name: str) -> None:
    assert property_schema({"name": name, "type": "number", "hubspotDefined": True}) == TEXT


def test_a_customers_own_number_named_like_an_id_is_a_number() -> None:
    assert property_schema({"name": "desk_id", "type": "number", "hubspotDefined": False}) == NUMBER


def test_a_record_keeps_the_nesting_of_the_api() -> None:
    schema = object_schema([{"name": "b", "type": "number"}, {"name": "a", "type": "string"}])
    assert list(schema["properties"]["properties"]["properties"].items()) == [("a", TEXT), ("b", NUMBER)]
    assert schema["required"] == ["id"]


def test_definitions_are_asked_for_once_a_run() -> None:
    asked: list[str] = []

    def definitions(name: str) -> list[dict[str, str]]:
        asked.append(name)
        return [{"name": "email", "type": "string"}]

    schemas = PropertySchemas(definitions)
    assert schemas.get_schema("contacts") == schemas.get_schema("contacts")
    assert asked == ["contacts"]
