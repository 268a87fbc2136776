"""What a world file says: which file is which object, which column is what. Checked whole; all errors at once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import ApiError
from fake_crm.hubspot.kinds import Kind, Kinds
from fake_crm.hubspot.properties import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MISSING = ("error", "ignore")


class WorldFileError(ValueError):
    """A world that cannot be loaded, with every reason."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Association:
    """Records are associated with the record of another type whose property has the column's value."""

    column: str
    property: str
    missing: str = "error"


@dataclass(frozen=True)
class ObjectSpec:
    """How one file becomes the records of one object type; columns are given by their headers."""

    kind: str
    file: Path
    name: str | None = None
    owner: str | None = None
    stage: str | None = None
    pipeline: str | None = None
    created: str | None = None
    modified: str | None = None
    date_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    associations: Mapping[str, Association] = field(default_factory=dict)
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    @property
    def named_columns(self) -> tuple[str, ...]:
        """Every column that the file must have."""
        single = (self.name, self.owner, self.stage, self.created, self.modified)
        linked = (each.column for each in self.associations.values())
        return (*filter(None, single), *self.columns, *self.types, *linked, *self.skip)


@dataclass(frozen=True)
class WorldSpec:
    """A whole world: its objects, in the order in which they are made."""

    objects: tuple[ObjectSpec, ...]
    time_zone: str | None = None
    currency: str | None = None


_TEXTS = {"file", "name", "owner", "stage", "pipeline", "created", "modified", "date_format"}
_TABLES = {"columns", "types"}
_LISTS = {"won", "lost", "skip"}
_KNOWN = {each.name for each in fields(ObjectSpec)} - {"kind"}


def read_world(path: Path) -> WorldSpec:
    """Read a TOML world file.

    Raises:
        WorldFileError: with every problem that the file has.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WorldFileError([f"{path}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorldFileError([f"{path.name}: {error}"]) from None
    parser = _Parser(path)
    spec = parser.world(data)
    if parser.problems:
        raise WorldFileError(parser.problems)
    return spec


def quick_world(loads: Iterable[str], base: Path, date_format: str | None = None) -> WorldSpec:
    """The world of `companies=accounts.csv` pairs, without any file that describes it.

    Raises:
        WorldFileError: with every pair that is wrong.
    """
    problems, specs = [], []
    for pair in loads:
        name, separator, file = pair.partition("=")
        if not separator or not file:
            problems.append(f"--load {pair}: write it like companies=accounts.csv")
        elif (kind := find_kind(name)) is None:
            problems.append(f"--load {pair}: {name!r} is no object type of HubSpot")
        else:
            specs.append(ObjectSpec(kind.name, base / file, date_format=date_format))
    if problems:
        raise WorldFileError(problems)
    return WorldSpec(tuple(specs))


def find_kind(name: str) -> Kind | None:
    """A standard object type by its name or id."""
    try:
        return Kinds().find(name)
    except ApiError:
        return None


class _Parser:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[str] = []

    def world(self, data: dict[str, Any]) -> WorldSpec:
        self._known("the file", data, {"objects", "account"})
        account = self._table("account", data.get("account", {}))
        self._known("account", account, {"time_zone", "currency"})
        objects = self._table("objects", data.get("objects", {}))
        if not objects:
            self.problems.append(f"{self._path.name}: no [objects.…] table; there is nothing to load")
        specs = [self._object(name, self._table(name, table)) for name, table in objects.items()]
        return WorldSpec(tuple(specs), account.get("time_zone"), account.get("currency"))

    def _object(self, name: str, table: dict[str, Any]) -> ObjectSpec:
        where = f"objects.{name}"
        kind = find_kind(name)
        if kind is None:
            self.problems.append(f"{where}: {name!r} is no object type of HubSpot")
        self._known(where, table, _KNOWN)
        self._typed(where, table)
        for column, given in self._table(where, table.get("types", {})).items():
            if given not in TYPES:
                self.problems.append(f"{where}.types.{column}: {given!r} is none of {', '.join(TYPES)}")
        if "file" not in table:
            self.problems.append(f"{where}: file is missing")
        plain: dict[str, Any] = {key: table[key] for key in (_TEXTS | _TABLES) - {"file"} if key in table}
        lists: dict[str, Any] = {key: tuple(map(str, table[key])) for key in _LISTS if isinstance(table.get(key), list)}
        file = self._path.parent / str(table.get("file", ""))
        return ObjectSpec(kind.name if kind else name, file, **plain, **lists, associations=self._links(where, table))

    def _links(self, where: str, table: dict[str, Any]) -> dict[str, Association]:
        links = {}
        for name, given in self._table(where, table.get("associations", {})).items():
            place = f"{where}.associations.{name}"
            kind = find_kind(name)
            each = self._table(place, given)
            self._known(place, each, {"column", "property", "missing"})
            if kind is None:
                self.problems.append(f"{place}: {name!r} is no object type of HubSpot")
            elif not {"column", "property"} <= each.keys():
                self.problems.append(f"{place}: column and property are needed")
            elif each.get("missing", "error") not in MISSING:
                self.problems.append(f"{place}.missing: {each['missing']!r} is none of {', '.join(MISSING)}")
            else:
                links[kind.name] = Association(each["column"], each["property"], each.get("missing", "error"))
        return links

    def _typed(self, where: str, table: dict[str, Any]) -> None:
        wanted = ((_TEXTS, str, "text"), (_LISTS, list, "a list of texts"), (_TABLES, dict, "a table"))
        for keys, kind, words in wanted:
            wrong = sorted(key for key in keys & table.keys() if not isinstance(table[key], kind))
            self.problems += [f"{where}.{key}: must be {words}" for key in wrong]

    def _table(self, where: str, given: Any) -> dict[str, Any]:
        if isinstance(given, dict):
            return given
        self.problems.append(f"{where}: must be a table")
        return {}

    def _known(self, where: str, table: dict[str, Any], known: set[str]) -> None:
        for key in sorted(table.keys() - known):
            self.problems.append(f"{where}: unknown setting {key!r}; known: {', '.join(sorted(known))}")
