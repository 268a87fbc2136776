"""The canonical model as `docs/model.md` tells it: every entity and field, and what each CRM fills it from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_crmdb.mapping.reading import load_mapping, shipped_model
from target_crmdb.validation.fields import COLUMN_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_crmdb.mapping.canonical import CanonicalField, Entity
    from target_crmdb.mapping.source import FieldMapping, StreamMapping

BEGIN, END = "<!-- model:begin -->", "<!-- model:end -->"
CRMS = {"hubspot": "HubSpot", "salesforce": "Salesforce", "pipedrive": "Pipedrive"}


def with_model(text: str) -> str:
    """The text of the page with the model between its markers."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return "\n".join([f"{head}{BEGIN}", "", *_page(), f"{END}{tail}"])


def _page() -> Iterator[str]:
    for entity in shipped_model().entities.values():
        yield from _entity(entity)


def _entity(entity: Entity) -> Iterator[str]:
    streams = {crm: [one for one in load_mapping(crm).streams.values() if one.entity == entity.name] for crm in CRMS}
    yield f"### {entity.name}"
    yield ""
    yield entity.description
    yield ""
    yield from (f"- {CRMS[crm]}: {_streams(found)}" for crm, found in streams.items())
    yield ""
    yield f"| field | type | what it is | {' | '.join(CRMS.values())} |"
    yield "|---" * (3 + len(CRMS)) + "|"
    for field in entity.fields.values():
        told = f"{field.description}{f' (`{field.refers}`)' if field.refers else ''}"
        sources = (_sources(field, found) for found in streams.values())
        yield f"| `{field.name}` | {_type(field)} | {told} | {' | '.join(sources)} |"
    yield ""


def _streams(streams: list[StreamMapping]) -> str:
    if not streams:
        return "none"
    return ", ".join(f"`{one.stream}`" for one in streams)


def _type(field: CanonicalField) -> str:
    column = COLUMN_TYPES[field.type].value
    return field.type if field.type == column else f"{field.type} ({column})"


def _sources(field: CanonicalField, streams: list[StreamMapping]) -> str:
    """Where a CRM's streams have it: paths that several streams share are told once."""
    paths = [_path(one) for stream in streams for one in stream.fields if one.field == field.name]
    paths += [f"“{value}”" for stream in streams for name, value in stream.constants if name == field.name]
    return ", ".join(dict.fromkeys(paths))


def _path(one: FieldMapping) -> str:
    said = f"`{one.path.text}`"
    if one.values:
        return f"{said}, translated"
    if one.prefixes:
        return f"{said}, ids with {' or '.join(one.prefixes)}"
    return said if one.factor is None else f"{said} times {one.factor}"
