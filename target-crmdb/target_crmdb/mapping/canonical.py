"""The canonical model: entities and their fields, one shape for every CRM."""

from collections.abc import Mapping
from dataclasses import dataclass

ID, UPDATED_AT, URL = "source_id", "source_updated_at", "source_url"
SOURCE, TABLE, DELETED, ROW = "crm_source", "source_table", "deleted_at", "source_row"
LINKS = "associations"
"""The entity whose rows are also made of the links that other streams' records tell."""

FIXED: Mapping[str, str] = {
    SOURCE: "The CRM: the setting `source` of the runs that loaded the row.",
    ID: "The record's key in its CRM; several key fields are joined by a colon.",
    UPDATED_AT: "When the record was last changed in its CRM.",
    DELETED: "When it was deleted there, as far as known; null for a record that is alive.",
    URL: "The page of the record in its CRM.",
    TABLE: "The table that has the row, so that two accounts of one CRM can be told apart.",
}
"""The columns that every view begins with, and what they say."""


@dataclass(frozen=True)
class CanonicalField:
    """A field of an entity; `refers` is the entity whose `source_id` it holds, `is_index` asks for fast look-ups."""

    name: str
    type: str
    description: str
    refers: str | None = None
    is_index: bool = False


@dataclass(frozen=True)
class Entity:
    """A kind of thing, and its fields in the order of its view."""

    name: str
    description: str
    fields: Mapping[str, CanonicalField]


@dataclass(frozen=True)
class Model:
    """All entities."""

    entities: Mapping[str, Entity]

    def field(self, entity: str, name: str) -> CanonicalField:
        """Give a field that is known to be there."""
        return self.entities[entity].fields[name]
