"""What a mapping covers: which source fields have no canonical one, and which canonical ones a table lacks."""

from collections.abc import Iterator
from dataclasses import dataclass

from target_crmdb.mapping import Path, dotted
from target_crmdb.mapping.paths import FieldPath
from target_crmdb.mapping.source import FieldMapping
from target_crmdb.mapping.wanted import form_of
from target_crmdb.model.expressions import Reader
from target_crmdb.model.sources import SourceTable


@dataclass(frozen=True)
class Covered:
    """One line of the mapping of a table: where a canonical field comes from, and how it is read."""

    entity: str
    field: str
    path: str
    type: str
    read_from: str


def covered(table: SourceTable) -> Iterator[Covered]:
    """Yield every field that the table's mapping names."""
    for one in table.says.fields:
        yield Covered(str(table.says.entity), one.field, one.path.text, form_of(one)[1], _place(table, one))


def lacking(table: SourceTable) -> list[str]:
    """Name the canonical fields that this table does not fill."""
    entity = table.mapping.model.entities.get(table.says.entity or "")
    filled = {one.field for one in table.says.fields if _is_there(table, one.path)}
    filled |= {name for name, _ in table.says.constants}
    return [] if entity is None else [name for name in entity.fields if name not in filled]


def unmapped(table: SourceTable) -> list[str]:
    """Name the fields of the source that no canonical field is made of; `source_row` has them all the same."""
    mapped = [path.names for path in table.says.paths()]
    if table.says.url and "{" not in table.says.url:
        mapped.append((table.says.url,))
    return [dotted(path) for path in sorted({*table.places, *table.in_extra}) if not _is_mapped(path, mapped)]


def disagreeing(table: SourceTable) -> Iterator[str]:
    """Say of mapped fields that can neither be read as they stand nor have a column with their normal form.

    Without its id, a row cannot be told from others.
    """
    for path in table.says.id:
        if not _is_there(table, path):
            yield f"{table}: {path.text} is to be the id, and is not there"
    for one in table.says.fields:
        if _is_there(table, one.path) and _place(table, one) == "nothing":
            column, _ = one.path.split(table.places)
            kind = "_extra" if column is None else table.type_of(table.places[column]).value
            yield f"{table}: {one.path.text} is {kind}, and {one.field} is {form_of(one)[1]}"


def _place(table: SourceTable, one: FieldMapping) -> str:
    """Say which column is read."""
    column, _ = one.path.split(table.places)
    normal = table.normals.get((one.path.text, form_of(one)[1]))
    if normal is not None:
        return normal.column
    if not _is_there(table, one.path):
        return "(not there)"
    if not Reader(table).reads(one):
        return "nothing"
    return "_extra" if column is None else table.places[column]


def _is_there(table: SourceTable, path: FieldPath) -> bool:
    return path.split({*table.places, *table.in_extra})[0] is not None


def _is_mapped(path: Path, mapped: list[Path]) -> bool:
    return any(path[: len(one)] == one[: len(path)] for one in mapped) or path == ("_sdc_deleted_at",)
