"""Addresses and places: compound fields, which the Bulk API does not give, made of the fields they consist of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_salesforce.objects import Field, SObject

__all__ = ["Compound", "compounds_of"]

KINDS = frozenset({"address", "location"})
_CUSTOM, _CUSTOM_PART = "__c", "__s"


@dataclass(frozen=True)
class Compound:
    """A compound field: the keys of its value, as REST names and sorts them, and the field behind each."""

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]


def compounds_of(sobject: SObject) -> dict[str, Compound]:
    """The compound fields of an object that can be made of others; a name is a text of its own and is none."""
    return {
        field.name: compound
        for field in sobject.fields
        if field.type in KINDS and (compound := _compound(field, sobject)).keys
    }


def _compound(field: Field, sobject: SObject) -> Compound:
    parts = sorted((_key(part.name, field), part.name) for part in sobject.fields if part.compound == field.name)
    return Compound(field.name, tuple(key for key, _ in parts), tuple(name for _, name in parts))


def _key(part: str, compound: Field) -> str:
    """`BillingCity` of `BillingAddress` is `city`, and so is `Home__City__s` of `Home__c`."""
    if part.endswith(_CUSTOM_PART):
        part = part.removesuffix(_CUSTOM_PART).removeprefix(compound.name.removesuffix("c"))
    else:
        part = part.removeprefix(compound.name.removesuffix("Address"))
    return part[:1].lower() + part[1:]
