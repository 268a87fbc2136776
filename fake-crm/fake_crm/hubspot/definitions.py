"""Properties and custom object schemas over HTTP (vendor pages "Properties" and "Custom objects")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot.errors import ApiError, invalid, not_found
from fake_crm.hubspot.paging import archived_flag
from fake_crm.hubspot.properties import TYPES, Property
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call

    Json = dict[str, Any]

STAMP = 1_577_836_800_000  # 2020-01-01: definitions do not change their stamps here
_SENSITIVITIES = ("non_sensitive", "sensitive", "highly_sensitive")
_FIELDS = (
    "name", "label", "type", "fieldType", "groupName", "description", "options", "displayOrder", "hasUniqueValue",
    "hidden", "formField", "dataSensitivity", "externalOptions", "referencedObjectType", "calculationFormula",
)  # fmt: skip


def list_properties(call: Call) -> Reply:
    """GET all properties of a type in one page; sensitive ones only by dataSensitivity."""
    wanted = call.one("dataSensitivity") or "non_sensitive"
    if wanted not in _SENSITIVITIES:
        raise invalid(f"dataSensitivity must be one of {', '.join(_SENSITIVITIES)}")
    known = call.world.store(call.kind().name).properties.values()
    rows = [] if archived_flag(call) else [each.rendered(STAMP) for each in known if each.sensitivity == wanted]
    return Reply.of({"results": rows})


def one_property(call: Call) -> Reply:
    """GET one property."""
    found = call.world.store(call.kind().name).properties.get(call.path["name"])
    if found is None or archived_flag(call):
        raise not_found(f"Property {call.path['name']} does not exist")
    return Reply.of(found.rendered(STAMP))


def create_property(call: Call) -> Reply:
    """POST a custom property."""
    store, body = call.world.store(call.kind().name), call.body(*_FIELDS)
    name, kind = str(body.get("name") or ""), str(body.get("type"))
    if not name or name != name.lower() or kind not in TYPES or not body.get("groupName"):
        raise invalid("a property needs a lower-case name, a known type and a groupName")
    if name in store.properties:
        raise ApiError(409, f"A property named '{name}' already exists.", "OBJECT_ALREADY_EXISTS")
    made = Property(
        name,
        kind,
        label=str(body.get("label") or ""),
        field_type=str(body.get("fieldType") or ""),
        options=tuple((str(each["value"]), str(each["label"])) for each in body.get("options") or ()),
        hubspot_defined=False,
        unique=bool(body.get("hasUniqueValue")),
        sensitivity=str(body.get("dataSensitivity") or "non_sensitive"),
    )
    call.world.add_property(store.kind.name, made)
    return Reply.of(made.rendered(STAMP), 201)


def list_schemas(call: Call) -> Reply:
    """GET the custom object types; standard ones are not among them."""
    rows = [] if archived_flag(call) else [_schema(call, name) for name in call.world.schemas]
    return Reply.of({"results": rows})


def one_schema(call: Call) -> Reply:
    """GET the schema of one type, custom or standard."""
    return Reply.of(_schema(call, call.kind().name))


def batch_schemas(call: Call) -> Reply:
    """POST schemas batch/read, a dated path only; its fields are unverified."""
    body = call.body("inputs", "includePropertyDefinitions", "includeAssociationDefinitions", "includeAuditMetadata")
    names = [call.world.kinds.find(str(each.get("id"))).name for each in body.get("inputs") or ()]
    now = iso(call.world.now())
    rows = [_schema(call, name) for name in names]
    return Reply.of({"status": "COMPLETE", "results": rows, "startedAt": now, "completedAt": now})


def _schema(call: Call, name: str) -> Json:
    store = call.world.store(name)
    kind = store.kind
    _, full, stamp = call.world.schemas.get(name, (kind, kind.name.upper(), STAMP))
    return {
        "id": kind.type_id.partition("-")[2],
        "name": kind.name,
        "fullyQualifiedName": full,
        "objectTypeId": kind.type_id,
        "labels": {"singular": kind.singular.capitalize(), "plural": kind.name.capitalize()},
        "primaryDisplayProperty": kind.title,
        "secondaryDisplayProperties": [],
        "requiredProperties": [kind.title],
        "searchableProperties": list(kind.searched),
        "properties": [each.rendered(STAMP) for each in store.properties.values()],
        "associations": [],
        "archived": False,
        "createdAt": iso(stamp),
        "updatedAt": iso(stamp),
    }
