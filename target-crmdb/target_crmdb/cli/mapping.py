"""`crmdb mapping`: which source field is which canonical one, what is missing, and doing it."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from target_crmdb.cli.access import Access
from target_crmdb.cli.output import table as laid_out
from target_crmdb.exceptions import ConfigError, CrmdbError
from target_crmdb.mapping import SourceMapping
from target_crmdb.mapping.of_source import mapping_of
from target_crmdb.mapping.placed import suggestion
from target_crmdb.mapping.reading import load_mapping, shipped_sources, shipped_text
from target_crmdb.mapping.wanted import form_of
from target_crmdb.model.applying import Applier, TableWork
from target_crmdb.model.coverage import covered, disagreeing, lacking, unmapped
from target_crmdb.model.filling import Filled, fill
from target_crmdb.model.indexes import make_indexes
from target_crmdb.model.place import ViewPlace
from target_crmdb.model.views import planned_views, rebuild, tell
from target_crmdb.settings import source_of

_PATIENCE = 30.0


@click.group()
def mapping() -> None:
    """The field mapping: which source field is which field of the canonical model."""


@mapping.command()
@click.argument("source", required=False)
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the shipped file, as a template for your own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(access: Access, source: str | None, *, as_yaml: bool, as_json: bool) -> None:
    """List the mapping of a source, your own on top of the shipped one; by default the source of the settings."""
    if source is not None and source not in shipped_sources():
        raise ConfigError(f"No mapping is shipped for {source}; {suggestion(source, shipped_sources())}")
    if as_yaml:
        name = source or source_of(access.config)
        if name not in shipped_sources():
            raise ConfigError(f"No mapping is shipped for {name}; name one: {', '.join(sorted(shipped_sources()))}")
        click.echo(shipped_text(name), nl=False)
        return
    found = load_mapping(source) if source else _mapping(access)
    rows = [
        (name, one.path.text, f"{stream.entity}.{one.field}", form_of(one)[1])
        for name, stream in found.streams.items()
        for one in stream.fields
    ]
    _print(("stream", "path", "canonical field", "type"), rows, as_json=as_json)


@mapping.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(access: Access, *, as_json: bool) -> None:
    """Say what the mapping covers in this database; exit code 1 where `apply` has something to do."""
    applier = _applier(access)
    with access.bookkept() as connection, connection.cursor() as cursor:
        works = applier.read(cursor)
        views = planned_views(cursor, _place(access, applier))
    report = [_covered(work) for work in works]
    to_do = [line for work in works for line in work.lines()]
    to_do += [f"view {one.name}: {one.waits_for or 'to be made anew'}" for one in views]
    faults = [line for work in works if not work.draft.new for line in disagreeing(work.table)]
    if as_json:
        click.echo(json.dumps({"tables": report, "to_do": to_do, "faults": faults}, indent=2))
    else:
        _tell(report, to_do, faults)
    if to_do or faults:
        raise CrmdbError("The mapping is not applied in full; `crmdb mapping apply` does what can be done")


@mapping.command()
@click.pass_obj
def diff(access: Access) -> None:
    """Say what `apply` would do; changes nothing."""
    applier = _applier(access)
    with access.bookkept() as connection, connection.cursor() as cursor:
        lines = [line for work in applier.read(cursor) for line in work.lines()]
        schema = access.config["model_schema"]
        views = planned_views(cursor, _place(access, applier))
        lines += [f"{schema}.{one.name}: {one.waits_for or 'make the view anew'}" for one in views]
    click.echo("\n".join(lines) or "Nothing is to be done")


@mapping.command()
@click.pass_obj
def apply(access: Access) -> None:
    """Make the views follow the mapping, and compute normal forms for the rows that are there; no CRM is asked.

    May be stopped at any time; called again, it goes on where it was.
    """
    applier = _applier(access)
    with access.bookkept() as connection:
        applier.record(connection)
        with connection.cursor() as cursor:
            for work in applier.read(cursor):
                applier.add(connection, work)
            works = applier.read(cursor)
        place = _place(access, applier)
        rebuilt = rebuild(connection, place, patience=_PATIENCE)
        click.echo(f"{len(rebuilt.made)} views made" + (f": {', '.join(rebuilt.made)}" if rebuilt.made else ""))
        for work in works:
            done = fill(connection, work.table, work.wanted, _progress(work))
            if done.rows:
                without = f", {done.without_form} values without a normal form" if done.without_form else ""
                click.echo(f"{work.table}: {done.rows} rows computed{without}")
        if made := make_indexes(connection):
            click.echo(f"{made} indexes made")
    hindrances = list(tell(rebuilt, place.schema))
    if hindrances:
        raise CrmdbError("\n".join(hindrances))


def _progress(work: TableWork) -> Any:
    def told(done: Filled) -> None:
        sys.stderr.write(f"{work.table}: {done.rows} rows so far\n")
        sys.stderr.flush()

    return told


def _mapping(access: Access) -> SourceMapping:
    return mapping_of(source_of(access.config), access.config.get("mapping"))


def _applier(access: Access) -> Applier:
    return Applier(access.config, _mapping(access), str(access.config.get("default_target_schema") or ""))


def _place(access: Access, applier: Applier) -> ViewPlace:
    return ViewPlace(str(access.config["model_schema"]), applier.mapping, applier.target_schema)


def _covered(work: TableWork) -> dict[str, Any]:
    table = work.table
    fields = [
        {"field": f"{one.entity}.{one.field}", "path": one.path, "type": one.type, "read_from": one.read_from}
        for one in covered(table)
    ]
    return {"table": str(table), "fields": fields, "lacking": lacking(table), "unmapped": unmapped(table)}


def _tell(report: list[dict[str, Any]], to_do: list[str], faults: list[str]) -> None:
    for one in report:
        click.echo(one["table"])
        rows = [(each["field"], each["path"], each["type"], each["read_from"]) for each in one["fields"]]
        click.echo(laid_out(("canonical field", "path", "type", "read from"), rows))
        click.echo(f"the source lacks: {', '.join(one['lacking']) or 'nothing'}")
        click.echo(f"without a canonical field: {', '.join(one['unmapped']) or 'nothing'}\n")
    if not report:
        click.echo("No table of this database is mapped")
    for line in (*(f"to do: {line}" for line in to_do), *(f"types disagree: {line}" for line in faults)):
        click.echo(line)


def _print(names: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
    else:
        click.echo(laid_out(names, rows))
