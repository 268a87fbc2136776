"""Makes the records of a world file: properties, owners, pipeline stages, associations."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fake_crm.clock import millis_of, real_instant
from fake_crm.hubspot.pipelines import Stage
from fake_crm.hubspot.properties import Property
from fake_crm.hubspot.rows import Row, Rows, guess, read, slug
from fake_crm.hubspot.world_file import WorldFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fake_crm.hubspot.world import World
    from fake_crm.hubspot.world_file import Association, ObjectSpec, WorldSpec

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN = 5  # problems of one kind and file; the rest is counted
_STAGE_PROPERTIES = {"deals": ("pipeline", "dealstage"), "tickets": ("hs_pipeline", "hs_pipeline_stage")}
_PIPELINE_IDS = {"deals": "default", "tickets": "0"}


def load(world: World, spec: WorldSpec) -> None:
    """Load a world into an account.

    Raises:
        WorldFileError: with every problem of every file; nothing is to be used then.
    """
    account = world.account
    world.account = replace(
        account, time_zone=spec.time_zone or account.time_zone, currency=spec.currency or account.currency
    )
    problems: list[str] = []
    loads = []
    for each in spec.objects:
        try:
            loads.append(_ObjectLoad(world, each, read(each.file), problems))
        except ValueError as error:
            problems.append(str(error))
    if not problems:
        for made in loads:
            made.make()
        for made in loads:
            made.associate()
    if problems:
        raise WorldFileError(problems)


class _ObjectLoad:
    """One file on its way to records. Problems are gathered in the list that it is given."""

    def __init__(self, world: World, spec: ObjectSpec, rows: Rows, problems: list[str]) -> None:
        self._world = world
        self._spec = spec
        self._rows = rows
        self._problems = problems
        self._store = world.store(spec.kind)
        self._ids: list[str] = []
        self._stages: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        missing = [name for name in dict.fromkeys(spec.named_columns) if name not in rows.columns]
        if missing:
            problems.append(
                f"{rows.path.name}: no column {', '.join(map(repr, missing))}; it has {', '.join(rows.columns)}"
            )
        else:
            self._names = self._property_names()
            self._check_names()

    def make(self) -> None:
        """Make the definitions, owners and stages, then the records."""
        self._define()
        self._make_owners()
        self._make_stages()
        found: dict[str, list[str]] = defaultdict(list)
        for row in self._rows.rows:
            try:
                self._ids.append(self._record(row))
            except ValueError as error:
                found[self._rows.path.name].append(f"{self._rows.path.name} line {row.line}: {error}")
        self._report(found)

    def associate(self) -> None:
        """Make the associations; an empty cell makes none."""
        if len(self._ids) != len(self._rows.rows):
            return  # its rows are reported already
        found: dict[str, list[str]] = defaultdict(list)
        for name, link in self._spec.associations.items():
            targets = self._targets(name, link)
            for record_id, row in zip(self._ids, self._rows.rows, strict=True):
                value = row.values.get(link.column)
                if value is None:
                    continue
                if value in targets:
                    self._world.associate(self._spec.kind, record_id, name, targets[value], primary=name == "companies")
                elif link.missing == "error":
                    found[name].append(
                        f"{self._rows.path.name} line {row.line}: no {name} has {link.property} {value!r}; "
                        'correct it, or set missing = "ignore"'
                    )
        self._report(found)

    def _targets(self, name: str, link: Association) -> dict[str, str]:
        store = self._world.store(name)
        if link.property not in store.properties:
            self._problems.append(f"objects.{self._spec.kind}.associations.{name}: no property {link.property!r}")
        values = ((record.value(link.property, store.kind), record.id) for record in store.live.ordered())
        return {value: record_id for value, record_id in values if value is not None}

    def _report(self, found: dict[str, list[str]]) -> None:
        for problems in found.values():
            self._problems += problems[:_SHOWN]
            if len(problems) > _SHOWN:
                self._problems.append(f"… and {len(problems) - _SHOWN} more like this")

    def _property_names(self) -> dict[str, str]:
        """Property by column; columns with a task of their own keep a property too, but for owner, stage and stamps."""
        spec = self._spec
        special = {each for each in (spec.owner, spec.stage, spec.created, spec.modified) if each} | set(spec.skip)
        names = {column: slug(column) for column in self._rows.columns if column not in special - spec.columns.keys()}
        if spec.name in names and spec.name not in spec.columns:
            names[spec.name] = self._store.kind.title
        return {**names, **spec.columns}

    def _check_names(self) -> None:
        fixed = set(self._store.kind.always)
        for name in sorted(set(self._names.values())):
            columns = [column for column, each in self._names.items() if each == name]
            if len(columns) > 1:
                self._problems.append(
                    f"{self._rows.path.name}: columns {', '.join(columns)} would all be the property {name!r}; "
                    "give them names in columns"
                )
            if name in fixed or name != slug(name):
                hint = "is set by HubSpot; use created or modified" if name in fixed else f"should be {slug(name)!r}"
                self._problems.append(f"{self._rows.path.name}: property {name!r} {hint}")
        if self._spec.stage and self._spec.kind not in _STAGE_PROPERTIES:
            self._problems.append(f"objects.{self._spec.kind}: only deals and tickets have a stage here")

    def _define(self) -> None:
        for column, name in self._names.items():
            given = self._spec.types.get(column)
            if name in self._store.properties and given is None:
                continue
            values = list(dict.fromkeys(filter(None, (row.values.get(column) for row in self._rows.rows))))
            kind = given or ("date" if self._are_dates(values) else guess(values))
            options = tuple((value, value) for value in values) if kind == "enumeration" else ()
            self._world.add_property(
                self._spec.kind, Property(name, kind, label=column, options=options, hubspot_defined=False)
            )

    def _are_dates(self, values: list[str]) -> bool:
        try:
            return bool(self._spec.date_format and values) and all(map(self._parsed, values))
        except ValueError:
            return False

    def _parsed(self, text: str) -> datetime:
        """A date in the file's format, or in ISO form; without a zone it is UTC."""
        try:
            found = datetime.strptime(text, self._spec.date_format or "%Y-%m-%d")  # noqa: DTZ007 - the zone comes below
        except ValueError:
            if not _ISO.match(text):
                raise
            found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def _make_owners(self) -> None:
        if self._spec.owner is None:
            return
        known = {
            f"{each.first_name} {each.last_name}".strip(): str(number) for number, each in self._world.owners.items()
        }
        for name in _distinct(self._rows.rows, self._spec.owner):
            first, _, last = name.partition(" ")
            if name not in known:
                known[name] = self._world.add_owner(first, last, f"{slug(name).replace('_', '.')}@example.com")
        self._owners = known

    def _make_stages(self) -> None:
        if self._spec.stage is None:
            return
        labels = _distinct(self._rows.rows, self._spec.stage)
        self._stages = {label: slug(label) for label in labels}
        stages = [
            Stage(self._stages[label], label, self._stage_metadata(label, at, len(labels)))
            for at, label in enumerate(labels)
        ]
        title = self._spec.pipeline or "Pipeline"
        self._world.add_pipeline(self._spec.kind, _PIPELINE_IDS[self._spec.kind], title, stages)

    def _stage_metadata(self, label: str, at: int, count: int) -> dict[str, str]:
        """Closed stages are those named in won and lost; without these, labels that begin so."""
        given = bool(self._spec.won or self._spec.lost)
        won = label in self._spec.won if given else label.lower() in {"won", "closed won", "closed"}
        lost = label in self._spec.lost if given else label.lower() in {"lost", "closed lost"}
        if self._spec.kind == "tickets":
            return {"ticketState": "CLOSED" if won or lost else "OPEN"}
        open_share = f"{(at + 1) / (count + 1):.1f}"
        return {"isClosed": str(won or lost).lower(), "probability": "1.0" if won else "0.0" if lost else open_share}

    def _record(self, row: Row) -> str:
        values = self._values(row)
        if self._spec.owner:
            values["hubspot_owner_id"] = self._owners.get(row.values.get(self._spec.owner) or "")
        if self._spec.stage:
            pipeline, stage = _STAGE_PROPERTIES[self._spec.kind]
            values |= {
                pipeline: _PIPELINE_IDS[self._spec.kind],
                stage: self._stages.get(row.values.get(self._spec.stage) or ""),
            }
        now = self._world.now()
        created = self._stamp(row, self._spec.created) or now
        updated = self._stamp(row, self._spec.modified) or max(created, now)
        return self._world.put(self._spec.kind, values, created=created, updated=updated)

    def _values(self, row: Row) -> dict[str, str | None]:
        """The properties of a row; ValueError with every value that does not fit."""
        values: dict[str, str | None] = {}
        wrong = []
        for column, name in self._names.items():
            try:
                values[name] = self._converted(name, row.values.get(column))
            except ValueError as error:
                wrong.append(f"{column}: {error}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return values

    def _converted(self, name: str, value: str | None) -> str | None:
        """A cell as HubSpot writes the property's type; ValueError where it does not fit."""
        kind = self._store.properties[name].type
        if value is None:
            return None
        if kind == "date":
            return self._parsed(value).date().isoformat()
        if kind == "datetime":
            return self._parsed(value).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if kind == "bool":
            value = value.lower()
        if code := Property(name, kind).problem(value):
            raise ValueError(f"{value!r} is no {kind} ({code})")
        return value

    def _stamp(self, row: Row, column: str | None) -> int | None:
        value = row.values.get(column) if column else None
        return millis_of(real_instant(self._parsed(value))) if value else None


def _distinct(rows: Iterable[Row], column: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (row.values.get(column) for row in rows))))
