"""What a mapping file says of one stream."""

import difflib
from collections.abc import Iterator
from typing import Any

from target_crmdb.mapping.canonical import LINKS, Entity, Model
from target_crmdb.mapping.model_file import Entries
from target_crmdb.mapping.paths import FieldPath, PathError, parse_path
from target_crmdb.mapping.placed import Faults, Item, suggestion
from target_crmdb.mapping.source import FieldMapping, Link, StreamMapping
from target_crmdb.mapping.types import ColumnType
from target_crmdb.validation.fields import COLUMN_TYPES, field_type, options_of

_OF_A_STREAM = frozenset({"entity", "id", "updated_at", "url", "fields", "constants", "links"})
_OWN_WORDS = frozenset({"field", "type", "values", "factor", "prefix"})
_CONSTANT_TYPES = {"boolean": bool, "integer": int}


class StreamReader:
    """Reads the streams of one mapping against the model; `country` is that of fields that name none."""

    def __init__(self, model: Model, faults: Faults, country: str | None = None) -> None:
        self._model = model
        self._faults = faults
        self._country = country

    def read(self, stream: str, item: Item) -> StreamMapping:
        """Read one stream's entry."""
        entries = Entries(item, f"streams.{stream}", self._faults, known=_OF_A_STREAM)
        name = entries.one_of("entity", self._model.entities)
        entity = self._model.entities.get(name or "") or self._meant(entries)
        if entity is None and entries.text("entity") is None and not entries.sub("links").items():
            self._faults.add(item, f"streams.{stream}", "has no entity; say what its records are")
        return StreamMapping(
            stream=stream,
            entity=name,
            id=tuple(self._id(entries, item, is_needed=entity is not None)),
            updated_at=self._path_of(entries, item, "updated_at"),
            url=entries.text("url"),
            fields=tuple(self._fields(entries, entity)),
            constants=tuple(self._constants(entries, entity)),
            links=tuple(self._links(entries)),
        )

    def _meant(self, entries: Entries) -> Entity | None:
        """Give the entity that is meant by a wrong word, so that the rest of the stream's entry can be checked."""
        words = difflib.get_close_matches(entries.text("entity") or "", self._model.entities, n=1)
        return self._model.entities[words[0]] if words else None

    def _id(self, entries: Entries, item: Item, *, is_needed: bool) -> Iterator[FieldPath]:
        found = item.children.get("id", Item(None))
        for one in found.value if isinstance(found.value, list) else [found]:
            if isinstance(one.value, str):
                yield from self._parsed(one.value, one, entries.inner("id"))
            elif one.value is not None or is_needed:
                self._faults.add(item, entries.inner("id"), "must be the path of the record's id, or a list of paths")

    def _path_of(self, entries: Entries, item: Item, name: str) -> FieldPath | None:
        text = entries.text(name)
        return None if text is None else next(self._parsed(text, item.children[name], entries.inner(name)), None)

    def _parsed(self, text: str, item: Item, place: str) -> Iterator[FieldPath]:
        try:
            yield parse_path(text)
        except PathError as error:
            self._faults.add(item, place, f"{text} {error}")

    def _fields(self, entries: Entries, entity: Entity | None) -> Iterator[FieldMapping]:
        if entity is None and entries.text("entity") is not None:
            return  # that it is unknown is told already
        for text, item in entries.sub("fields").items():
            place = f"{entries.inner('fields')}.{text}"
            for path in self._parsed(text, item, place):
                for one in item.value if isinstance(item.value, list) else [item]:
                    yield from self._field(path, one, place, entity)

    def _field(self, path: FieldPath, item: Item, place: str, entity: Entity | None) -> Iterator[FieldMapping]:
        spec = item if isinstance(item.value, dict) else Item({"field": item}, item.line)
        entries = Entries(spec, place, self._faults)
        name = entries.one_of("field", entity.fields if entity else ())
        if name is None or entity is None:
            if not isinstance(spec.children.get("field", Item(None)).value, str):
                self._faults.add(item, place, "names no canonical field")
            return
        canonical = entity.fields[name]
        wanted = entries.one_of("type", COLUMN_TYPES) or canonical.type
        if COLUMN_TYPES[wanted] != COLUMN_TYPES[canonical.type]:
            self._faults.add(spec, place, f"has the type {wanted}, and {entity.name}.{name} is {canonical.type}")
            return
        options = {key: one.plain() for key, one in entries.items() if key not in _OWN_WORDS}
        self._check_options(wanted, options, spec, place)
        if self._country is not None and "country" in options_of(wanted):
            options.setdefault("country", self._country)
        yield FieldMapping(
            path=path,
            field=name,
            type=wanted,
            options=tuple(sorted(options.items())),
            values=tuple((key, one.value) for key, one in entries.sub("values").items()),
            factor=self._factor(spec, place, wanted),
            prefixes=tuple(self._prefixes(spec, place)),
        )

    def _factor(self, spec: Item, place: str, wanted: str) -> str | None:
        item = spec.children.get("factor")
        if item is None:
            return None
        if COLUMN_TYPES[wanted] != ColumnType.NUMERIC or type(item.value) not in {int, float}:
            self._faults.add(item, f"{place}.factor", "must be a number, for a field that is one")
        return str(item.value)

    def _prefixes(self, spec: Item, place: str) -> Iterator[str]:
        found = spec.children.get("prefix")
        for item in [] if found is None else found.value if isinstance(found.value, list) else [found]:
            if not isinstance(item.value, str) or not item.value:
                self._faults.add(item, f"{place}.prefix", "must be a text, or a list of texts")
            else:
                yield item.value

    def _check_options(self, name: str, options: dict[str, Any], item: Item, place: str) -> None:
        if not options:
            return  # making the type would import its library
        try:
            field_type(name, **options)
        except (ValueError, TypeError) as error:
            self._faults.add(item, place, str(error))

    def _constants(self, entries: Entries, entity: Entity | None) -> Iterator[tuple[str, Any]]:
        if entity is None and entries.text("entity") is not None:
            return
        for name, item in entries.sub("constants").items():
            place = f"{entries.inner('constants')}.{name}"
            if entity is None or name not in entity.fields:
                self._faults.add(item, place, f"is unknown; {suggestion(name, entity.fields if entity else ())}")
                continue
            wanted = _CONSTANT_TYPES.get(entity.fields[name].type, str)
            if not isinstance(item.value, wanted):
                self._faults.add(item, place, f"must be a value of type {entity.fields[name].type}")
            yield name, item.value

    def _links(self, entries: Entries) -> Iterator[Link]:
        for text, item in entries.sub("links").items():
            place = f"{entries.inner('links')}.{text}"
            entities = self._model.entities.keys() - {LINKS}
            for path in self._parsed(text, item, place):
                found = item.children.items() or [("", item)]
                pairs = tuple((prefix, str(one.value)) for prefix, one in found)
                for wrong in (name for _, name in pairs if name not in entities):
                    self._faults.add(item, place, f"{wrong} is unknown; {suggestion(wrong, entities)}")
                yield Link(path, None, pairs) if item.children else Link(path, pairs[0][1])
