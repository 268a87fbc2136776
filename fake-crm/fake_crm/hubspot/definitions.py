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
    from fake_crm.hubspot.world import Store

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
    _check_sensitive(call, wanted)
    rows = [row for row in _definitions(call) if row["dataSensitivity"] == wanted]
    return Reply.of({"results": rows})


def _definitions(call: Call) -> list[Json]:
    """Live definitions, or with archived=true the archived ones."""
    store = call.world.store(call.kind().name)
    if archived_flag(call):
        return [each.rendered(STAMP, archived_at) for each, archived_at in store.archived_properties.values()]
    return [each.rendered(STAMP) for each in store.properties.values()]


def _check_sensitive(call: Call, wanted: str) -> None:
    """Sensitive definitions need a scope of their own; its name is from the vendor's OpenAPI specification."""
    if wanted == "non_sensitive" or call.token is None:
        return
    kind = call.kind()
    scope = f"tickets.{wanted}.v2" if kind.name == "tickets" else kind.scope.replace(".read", f".{wanted}.read.v2")
    call.access.check_scopes(call.token, (scope,), call.quirks.scope_key)


def one_property(call: Call) -> Reply:
    """GET one property."""
    for row in _definitions(call):
        if row["name"] == call.path["name"]:
            return Reply.of(row)
    raise not_found(f"Property {call.path['name']} does not exist")


def archive_property(call: Call) -> Reply:
    """DELETE: archive a property of the users' own; one that is not there is no error (unverified)."""
    store, name = call.world.store(call.kind().name), call.path["name"]
    found = store.properties.get(name)
    if found is not None and found.hubspot_defined:
        raise invalid(f"Property {name} is defined by HubSpot and cannot be archived")
    if found is not None:
        call.world.archive_property(store.kind.name, name)
    return Reply(204)


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


def _parts(call: Call, store: Store) -> Json:
    """The definitions in a schema, which a caller may do without; sensitive ones are not among them (unverified)."""
    wanted = (call.one("includePropertyDefinitions") or "true").lower() == "true"
    rows = (each.rendered(STAMP) for each in store.properties.values() if each.sensitivity == "non_sensitive")
    return {"properties": list(rows) if wanted else [], "associations": []}


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
        **_parts(call, store),
        "archived": False,
        "createdAt": iso(stamp),
        "updatedAt": iso(stamp),
    }
