"""Single records by REST: read, make, change, delete, and the bytes of blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError, not_found
from fake_crm.salesforce.soql.running import planned
from fake_crm.salesforce.values import any_id
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.values import Row


def one(call: Call) -> Reply:
    """GET sobjects/{name}/{id}: all fields, or those of `fields`."""
    kind, row = _found(call)
    names = call.one("fields") or ",".join(kind.fields)
    plan = planned(call.org, f"SELECT {names} FROM {kind.name}")  # noqa: S608 - SOQL, and parsed at once
    (text,) = call.renderer.rows(plan, [row], call.root, everything=True)
    return Reply(200, text.encode("utf-8", "surrogatepass"))


def blob(call: Call) -> Reply:
    """GET sobjects/{name}/{id}/{field}: the bytes of a base64 field."""
    kind, row = _found(call)
    field = kind.find(call.path["field"])
    held = row.get(field.name) if field and field.type == "base64" else None
    if not isinstance(held, bytes):
        raise not_found()
    return Reply(200, held, {}, "application/octet-stream")


def create(call: Call) -> Reply:
    """POST sobjects/{name}."""
    kind = call.kind()
    values = _writable(kind, call.body())
    try:
        key = call.org.create(kind.name, values)
    except ValueError as error:
        raise _refused(error) from None
    return Reply.of({"id": key, "success": True, "errors": []}, 201)


def update(call: Call) -> Reply:
    """PATCH sobjects/{name}/{id}."""
    kind, row = _found(call)
    try:
        call.org.update(kind.name, str(row["Id"]), _writable(kind, call.body()))
    except ValueError as error:
        raise _refused(error) from None
    return Reply(204)


def delete(call: Call) -> Reply:
    """DELETE sobjects/{name}/{id}."""
    kind, row = _found(call)
    try:
        call.org.delete(kind.name, str(row["Id"]))
    except ValueError as error:
        raise _refused(error) from None
    return Reply(204)


def _found(call: Call) -> tuple[SObject, Row]:
    kind = call.kind()
    row = call.org.table(kind.name).get(any_id(call.path["id"]))
    if row is None:
        raise not_found()
    if row.get("IsDeleted"):
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
    return kind, row


def _refused(error: ValueError) -> ApiError:
    text = str(error)
    code, colon, rest = text.partition(": ")
    if colon and code == "UNABLE_TO_LOCK_ROW":
        return ApiError(400, code, rest)
    return ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", text)


def _writable(kind: SObject, body: dict[str, Any]) -> dict[str, Any]:
    for name in body:
        field = kind.find(name)
        if field is None:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
        if not field.writable:
            message = f"Unable to create/update fields: {name}. Please check the security settings of this field."
            raise ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message)
    return {name: value for name, value in body.items() if name != "attributes"}
