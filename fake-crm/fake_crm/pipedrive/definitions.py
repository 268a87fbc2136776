"""Field definitions: those that every company has, and its own, in the shapes of v1 and v2."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

ENTITIES = ("deal", "person", "organization", "product", "activity", "project")
ADDRESS_PARTS = (
    "street_number",
    "route",
    "subpremise",
    "locality",
    "sublocality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
    "formatted_address",
)
_SUBFIELDS = {
    "monetary": ("currency",),
    "daterange": ("until",),
    "timerange": ("until", "timezone_id"),
    "time": ("timezone_id",),
    "address": ADDRESS_PARTS,
}
_V1_TYPES = {"double": "double", "int": "int", "people": "people"}


@dataclass(frozen=True)
class Option:
    """A choice of a single- or multiple-option field."""

    id: int
    label: str
    color: str | None = None

    def v2(self, stamp: str) -> Json:
        """As v2 shows it."""
        return {"id": self.id, "label": self.label, "color": self.color, "add_time": stamp, "update_time": stamp}


@dataclass(frozen=True)
class Field:
    """One field of an entity."""

    code: str
    name: str
    kind: str
    custom: bool = False
    options: tuple[Option, ...] | None = None
    deleted_options: tuple[Option, ...] = ()
    id: int = 0
    added: str = "2024-01-01T00:00:00Z"

    def v2(self) -> Json:
        """The definition as v2 shows it; `subfields` have codes without the field's own."""
        parts = _SUBFIELDS.get(self.kind)
        return {
            "field_name": self.name,
            "field_code": self.code,
            "description": None,
            "field_type": self.kind,
            "options": None if self.options is None else [each.v2(self.added) for each in self.options],
            "subfields": None
            if parts is None
            else [
                {"field_code": part, "field_name": f"{part} of {self.name}", "field_type": "varchar"} for part in parts
            ],
            "is_custom_field": self.custom,
            "is_optional_response_field": False,
        }

    def v1(self) -> Json:
        """The definition as v1 shows it: `edit_flag` says that it is the company's own."""
        stamp = self.added.replace("T", " ").rstrip("Z")
        shown: Json = {
            "id": self.id,
            "key": self.code,
            "name": self.name,
            "field_type": _V1_TYPES.get(self.kind, self.kind),
            "add_time": stamp,
            "update_time": stamp,
            "active_flag": True,
            "edit_flag": self.custom,
            "mandatory_flag": not self.custom,
            "options": None if self.options is None else [{"id": o.id, "label": o.label} for o in self.options],
        }
        if self.deleted_options:
            shown["options_deleted"] = [{"id": o.id, "label": o.label} for o in self.deleted_options]
        return shown


@dataclass
class Definitions:
    """The fields of every entity; a company's own have a hash of 40 digits as code."""

    by_entity: dict[str, dict[str, Field]] = field(default_factory=dict)
    _next: int = 12_000

    def __post_init__(self) -> None:
        """Begin with what every company has."""
        for entity in ENTITIES:
            self.by_entity[entity] = {each.code: each for each in _standard(entity)}

    def add(self, entity: str, name: str, kind: str, options: Iterable[str] = ()) -> str:
        """Make a field; options are labels. Returns its code."""
        self._next += 1
        code = hashlib.sha1(f"{entity} {name} {self._next}".encode(), usedforsecurity=False).hexdigest()
        choices = tuple(Option(self._next * 10 + n, label) for n, label in enumerate(options, 1))
        self.by_entity[entity][code] = Field(code, name, kind, True, choices or None, (), self._next)
        return code

    def rename(self, entity: str, code: str, name: str) -> None:
        """Give a field another name; its code stays."""
        self.by_entity[entity][code] = replace(self.by_entity[entity][code], name=name)

    def remove(self, entity: str, code: str) -> None:
        """Take a field away."""
        del self.by_entity[entity][code]

    def add_option(self, entity: str, code: str, label: str) -> int:
        """A further choice; returns its id."""
        old = self.by_entity[entity][code]
        known = (*(old.options or ()), *old.deleted_options)
        number = max((each.id for each in known), default=old.id * 10) + 1
        self.by_entity[entity][code] = replace(old, options=(*(old.options or ()), Option(number, label)))
        return number

    def remove_option(self, entity: str, code: str, option: int) -> None:
        """Take a choice away; values that have it keep its id."""
        old = self.by_entity[entity][code]
        gone = tuple(each for each in old.options or () if each.id == option)
        left = tuple(each for each in old.options or () if each.id != option)
        self.by_entity[entity][code] = replace(old, options=left, deleted_options=(*old.deleted_options, *gone))

    def custom(self, entity: str) -> dict[str, Field]:
        """The company's own fields of an entity."""
        return {code: each for code, each in self.by_entity[entity].items() if each.custom}


def _standard(entity: str) -> Iterable[Field]:
    name = "name" if entity in {"person", "organization", "product"} else "title"
    yield Field("id", "ID", "int")
    yield Field("subject" if entity == "activity" else name, name.capitalize(), "varchar")
    yield Field("owner_id", "Owner", "user")
    yield Field("update_time", "Update time", "date")
    if entity in {"deal", "person", "organization", "project"}:
        labels = (Option(1, "Hot", "red"), Option(2, "Cold", "blue"), Option(3, "Customer", "green"))
        yield Field("label_ids", "Label", "set", False, labels)
    if entity == "deal":
        yield Field("value", "Value", "monetary")
        yield Field("stage_id", "Stage", "stage")


def v1_values(definitions: dict[str, Field], values: Json) -> Json:
    """Custom values in v1's shape: at the root of a record, unset ones left out."""
    found: Json = {}
    for code, value in values.items():
        if value is not None and code in definitions:
            found |= _v1_value(code, definitions[code].kind, value)
    return found


def _v1_value(code: str, kind: str, value: Any) -> Json:
    if kind == "enum":
        return {code: str(value)}
    if kind == "set":
        return {code: ",".join(map(str, value))}
    if isinstance(value, dict):
        rest = {f"{code}_{part}": each for part, each in value.items() if part not in {"value", "timezone_name"}}
        if kind == "address" and "formatted_address" not in value:
            rest[f"{code}_formatted_address"] = value.get("value")
        return {code: value.get("value"), **rest}
    return {code: value}
