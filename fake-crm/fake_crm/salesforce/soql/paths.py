"""Field paths: found in the schema, and followed through parents from a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.conversion import compound
from fake_crm.salesforce.fields import COMPOUNDS, Field
from fake_crm.salesforce.objects import ID, SObject
from fake_crm.salesforce.soql.refusals import no_column, no_relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.tree import Path, Query
    from fake_crm.salesforce.values import Row

# what every parent of a polymorphic reference has (vendor page "Name")
ANY_PARENT = SObject.of(
    "Name",
    "",
    (ID, *(Field(name) for name in ("Name", "Type", "FirstName", "LastName", "Email", "Phone", "Title", "Alias"))),
)


@dataclass(frozen=True)
class Found:
    """A field at the end of a path; `steps` are the references on the way, `names` its canonical names."""

    kind: SObject
    field: Field
    steps: tuple[Field, ...]
    names: tuple[str, ...]


def find(org: Org, kind: SObject, path: Path, query: Query) -> Found:
    """The field that a path names; 400 if there is none."""
    names = list(path.names)
    if len(names) > 1 and names[0].lower() in {kind.name.lower(), (query.alias or "").lower()}:
        names = names[1:]
    steps: list[Field] = []
    canonical: list[str] = []
    for name in names[:-1]:
        step = kind.parents.get(name.lower())
        if step is None:
            raise no_relation(name, query.text, path.at)
        steps.append(step)
        canonical.append(step.relationship or name)
        kind = ANY_PARENT if step.polymorphic else org.schema.find(step.reference_to[0])
    field = kind.find(names[-1])
    if field is None:
        raise no_column(names[-1], kind.name, query.text, path.at)
    return Found(kind, field, tuple(steps), (*canonical, field.name))


def getter(org: Org, found: Found) -> Callable[[Row], Any]:
    """What takes the value out of a row."""
    last = own_getter(found.field)
    if not found.steps:
        return last

    def follow(row: Row) -> Any:
        for step in found.steps:
            above = parent(org, step, row)
            if above is None:
                return None
            row = above
        return last(row)

    return follow


def own_getter(field: Field) -> Callable[[Row], Any]:
    """What takes a field of the row itself."""
    name = field.name
    if field.type in COMPOUNDS:
        return lambda row: compound(field, row)
    return lambda row: row.get(name)


def parent(org: Org, step: Field, row: Row) -> Row | None:
    """The row that a reference points to; it knows its Type where that may differ."""
    key = row.get(step.name)
    if not isinstance(key, str):
        return None
    kind = org.schema.of_id(key)
    found = org.table(kind.name).get(key) if kind else None
    if found is None or kind is None or not step.polymorphic:
        return found
    return {**found, "Type": kind.name}
