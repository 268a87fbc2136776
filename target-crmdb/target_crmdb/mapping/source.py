"""What is known of one CRM: where its streams' fields go. Read by `reading.py`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from target_crmdb.mapping.canonical import Model
from target_crmdb.mapping.paths import FieldPath

Level = Literal["strict", "lenient", "off"]
LEVELS: tuple[Level, ...] = ("strict", "lenient", "off")


@dataclass(frozen=True)
class FieldMapping:
    """A source field that is a canonical one.

    `type` and `options` say how its values are read; `values` translates single values instead. A number is multiplied
    by `factor`. With `prefixes`, only ids that begin so count.
    """

    path: FieldPath
    field: str
    type: str
    options: tuple[tuple[str, Any], ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    factor: str | None = None
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A field that holds another record's id: `to` names its entity, or an entity for each beginning of the id."""

    path: FieldPath
    to: str | None = None
    prefixes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class StreamMapping:
    """What one stream's records are; `url` is a path, or a template with `{path}` in it."""

    stream: str
    entity: str | None = None
    id: tuple[FieldPath, ...] = ()
    updated_at: FieldPath | None = None
    url: str | None = None
    fields: tuple[FieldMapping, ...] = ()
    constants: tuple[tuple[str, Any], ...] = ()
    links: tuple[Link, ...] = ()

    def paths(self) -> Iterator[FieldPath]:
        """Yield the paths of all fields that the views read."""
        yield from self.id
        yield from (one.path for one in self.fields)
        yield from (one.path for one in self.links)
        if self.updated_at is not None:
            yield self.updated_at


@dataclass(frozen=True)
class SourceMapping:
    """The mapping of one CRM; `spread` is the object whose fields become columns of their own.

    `own` is what the user's setting adds to the file that is shipped, as the database keeps it.
    """

    source: str = ""
    spread: str | None = None
    base_url: str | None = None
    streams: Mapping[str, StreamMapping] = field(default_factory=dict)
    model: Model = field(default_factory=lambda: Model({}))
    own: Any = None

    def stream(self, name: str) -> StreamMapping | None:
        """Give what is known of a stream, also where its name is qualified (`schema-stream`)."""
        return self.streams.get(name) or self.streams.get(name.rpartition("-")[2])
