"""Versions, the list of objects, describes, and who knows them already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from fake_crm.salesforce.catalog_custom import custom
from fake_crm.salesforce.describing import label
from fake_crm.salesforce.fields import number, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce

FIELD_KEYS = {
    "aggregatable",
    "aiPredictionField",
    "autoNumber",
    "byteLength",
    "calculated",
    "calculatedFormula",
    "cascadeDelete",
    "caseSensitive",
    "compoundFieldName",
    "controllerName",
    "createable",
    "custom",
    "defaultValue",
    "defaultValueFormula",
    "defaultedOnCreate",
    "dependentPicklist",
    "deprecatedAndHidden",
    "digits",
    "displayLocationInDecimal",
    "encrypted",
    "externalId",
    "extraTypeInfo",
    "filterable",
    "filteredLookupInfo",
    "formulaTreatNullNumberAsZero",
    "groupable",
    "highScaleNumber",
    "htmlFormatted",
    "idLookup",
    "inlineHelpText",
    "label",
    "length",
    "mask",
    "maskType",
    "name",
    "nameField",
    "namePointing",
    "nillable",
    "permissionable",
    "picklistValues",
    "polymorphicForeignKey",
    "precision",
    "queryByDistance",
    "referenceTargetField",
    "referenceTo",
    "relationshipName",
    "relationshipOrder",
    "restrictedDelete",
    "restrictedPicklist",
    "scale",
    "searchPrefilterable",
    "soapType",
    "sortable",
    "type",
    "unique",
    "updateable",
    "writeRequiresMasterRead",
}
OBJECT_KEYS = {
    "activateable",
    "associateEntityType",
    "associateParentEntity",
    "createable",
    "custom",
    "customSetting",
    "deepCloneable",
    "deletable",
    "deprecatedAndHidden",
    "feedEnabled",
    "hasSubtypes",
    "isInterface",
    "isSubtype",
    "keyPrefix",
    "label",
    "labelPlural",
    "layoutable",
    "mergeable",
    "mruEnabled",
    "name",
    "queryable",
    "replicateable",
    "retrieveable",
    "searchable",
    "triggerable",
    "undeletable",
    "updateable",
    "urls",
}


def test_versions_need_no_session_and_count_nothing(fake: FakeSalesforce) -> None:
    response = requests.get(f"{fake.url}/services/data", timeout=10)
    found = response.json()
    assert "Sforce-Limit-Info" not in response.headers
    assert {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"} in found
    assert ("31.0", "68.0", 38) == (found[0]["version"], found[-1]["version"], len(found))
    assert 0 == fake.usage.used()


def test_release_names_go_on_three_a_year() -> None:
    assert ["Summer '14", "Winter '15", "Spring '15"] == [label(each) for each in (31, 32, 33)]
    assert ["Spring '26", "Summer '26", "Winter '27"] == [label(each) for each in (66, 67, 68)]


@pytest.mark.parametrize(("version", "status"), [("30.0", 410), ("69.0", 404), ("66.5", 404), ("68.0", 200)])
def test_only_versions_that_are_offered_answer(client: Any, version: str, status: int) -> None:
    assert status == client.get(f"/services/data/v{version}/sobjects").status_code


def test_every_object_and_every_field_has_all_keys(client: Any) -> None:
    objects = client.get("/sobjects").json()["sobjects"]
    assert len(objects) >= 37
    for each in objects:
        assert OBJECT_KEYS == set(each), each["name"]
        described = client.get(f"/sobjects/{each['name']}/describe").json()
        assert all(set(field) == FIELD_KEYS for field in described["fields"])
        assert OBJECT_KEYS <= set(described)


def test_versions_that_end_soon_warn(client: Any) -> None:
    assert client.get("/services/data/v40.0/limits").headers["Warning"].startswith('299 - "This API is deprecated')
    assert "Warning" not in client.get("/services/data/v41.0/limits").headers


def fields_of(client: Any, name: str) -> dict[str, Any]:
    return {field["name"]: field for field in client.get(f"/sobjects/{name}/describe").json()["fields"]}


def test_every_type_of_field_is_there(client: Any) -> None:
    names = [each["name"] for each in client.get("/sobjects").json()["sobjects"]]
    found = {field["type"] for name in names for field in fields_of(client, name).values()}
    expected = (
        "id string picklist multipicklist combobox textarea phone url email reference encryptedstring boolean int long "
        "double currency percent date datetime time base64 address location anyType json complexvalue"
    )
    assert set(expected.split()) == found


def test_numbers_tell_their_size_and_compounds_their_parts(client: Any) -> None:
    fields = fields_of(client, "Everything__c")
    assert (16, 4) == (fields["Decimal__c"]["precision"], fields["Decimal__c"]["scale"])
    assert 8 == fields["Whole__c"]["digits"]
    assert ("tns:ID", ["Account"]) == (fields["Account__c"]["soapType"], fields["Account__c"]["referenceTo"])
    assert "Site__c" == fields["Site__Latitude__s"]["compoundFieldName"]
    contact = fields_of(client, "Contact")
    assert ("Name", "string", None) == (
        contact["LastName"]["compoundFieldName"], contact["Name"]["type"], contact["Name"]["compoundFieldName"]
    )  # fmt: skip
    assert "MailingAddress" == contact["MailingCity"]["compoundFieldName"]
    assert ["Contact", "Lead"] == fields_of(client, "Task")["WhoId"]["referenceTo"]


def test_children_are_told(client: Any) -> None:
    found = client.get("/sobjects/Account/describe").json()["childRelationships"]
    assert ("Contacts", "AccountId") in [(each["relationshipName"], each["field"]) for each in found]


def test_who_knows_a_describe_gets_304_until_it_changes(fake: FakeSalesforce, client: Any) -> None:
    for path in ("/sobjects", "/sobjects/Account/describe"):
        seen = client.get(path).headers
        known = {"If-Modified-Since": seen["Last-Modified"]}
        assert (304, b"") == ((again := client.call("GET", path, headers=known)).status_code, again.content)
        assert 304 == client.call("GET", path, headers={"If-None-Match": seen["ETag"]}).status_code
    fake.org.add_field("Account", text("New__c", 40))
    assert 200 == client.call("GET", "/sobjects/Account/describe", headers=known).status_code
    assert 200 == client.call("GET", "/sobjects", headers=known).status_code
    assert 304 == client.call("GET", "/sobjects/Contact/describe", headers=known).status_code
    assert "New__c" in fields_of(client, "Account")


def test_fields_and_objects_come_and_go(fake: FakeSalesforce, client: Any) -> None:
    fake.org.add_object(custom("Thing__c", "a77", number("Size__c", 10, 2)))
    key = fake.org.create("Thing__c", {"Name": "One", "Size__c": "1.5"})
    assert [{"Name": "One", "Size__c": 1.5}] == [
        {name: row[name] for name in ("Name", "Size__c")} for row in client.rows("SELECT Name, Size__c FROM Thing__c")
    ]
    fake.org.remove_field("Thing__c", "Size__c")
    assert "INVALID_FIELD" == client.refusal("SELECT Size__c FROM Thing__c")[1]
    assert [key] == client.ids("SELECT Id FROM Thing__c")
    fake.org.remove_object("Thing__c")
    assert 404 == client.get("/sobjects/Thing__c/describe").status_code


def test_an_org_may_have_any_number_of_objects_and_fields(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any]
) -> None:
    fake = fake_salesforce(extra_objects=300, extra_fields=20, clock="2026-11-01T00:00:00Z")
    client = client_of(fake)
    names = [each["name"] for each in client.get("/sobjects").json()["sobjects"]]
    assert 300 == sum(name.startswith("Extra_") for name in names)
    assert 20 == sum(name.startswith("Extra_") for name in fields_of(client, "Lead"))
    assert 2 == len(client.rows("SELECT Id, Extra_1__c FROM Extra_300__c"))
