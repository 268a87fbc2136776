"""Which streams there are, and their columns, by the beginnings of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import CrmdbError
from tap_csv_github.entries import named_after
from tap_csv_github.lineage import ROW_KEYS, lineage_properties
from tap_csv_github.reading.rows import Even
from tap_csv_github.reading.tables import SAMPLE, sampled
from tap_csv_github.reading.values import TEXT, infer
from tap_csv_github.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_csv_github.entries import Entry
    from tap_csv_github.reading.rows import Block
    from tap_csv_github.reading.tables import Table
    from tap_csv_github.reading.values import Kind
    from tap_csv_github.spec import Part, PlacedFile
    from tap_csv_github.tap import TapCsvGithub

__all__ = ["key_properties", "schema_of", "specs"]

_MOST_FILES = 500
"""So many files of a stream are looked into; the columns of others are met when they are read."""


def specs(tap: TapCsvGithub) -> Iterator[Spec]:
    """All streams. A source that cannot be listed leaves out the streams that its files would make."""
    parts: dict[str, list[Part]] = {}
    for number, entry in enumerate(tap.entries):
        part = (entry, tap.source_of(entry))
        if entry.stream_name:
            parts.setdefault(entry.stream_name, []).append(part)
            continue
        try:
            paths = list(tap.listing(part[1]).files)
        except CrmdbError as error:
            if error.stops_run:
                raise
            tap.leave_out(part[1].label, error)
            continue
        paths += tap.paths_in_state(part[1])
        names = dict.fromkeys(named_after(path) for path in paths if entry.takes(path))
        if not names:
            tap.logger.warning("files.%d: no file of %s fits the path %s", number, part[1].label, entry.path)
        for name in names:
            parts.setdefault(name, []).append(part)
    for name in sorted(parts):
        yield Spec(name, tuple(parts[name]))


def schema_of(tap: TapCsvGithub, spec: Spec) -> dict[str, Any]:
    """The JSON schema of a stream: the columns of its files, as far as they are looked into, and the lineage."""
    files = list(spec.files(tap.listing))[:_MOST_FILES]
    kinds: dict[str, Kind] = {}
    look = in_order(lambda placed: _looked_into(tap, placed), files, workers=int(tap.config["concurrency"]))
    for found in look:
        for name, kind in found.items():
            kinds[name] = kind if kinds.get(name, kind) == kind else TEXT
    keys = spec.entry.keys or ROW_KEYS
    columns = {name: kind.property() for name, kind in kinds.items()}
    key = spec.entry.replication_key
    for name in (*spec.entry.keys, *([key] if key else [])):
        columns.setdefault(name, TEXT.property())
    columns |= key_properties(spec.entry)
    return {"type": "object", "properties": {**columns, **lineage_properties(keys)}}


def key_properties(entry: Entry) -> dict[str, Any]:
    """The JSON schemas of the columns of the key: never null, and of no type but a given one.

    An inferred one could turn into text in the middle of a file, and one key would be two then.
    """
    kinds = {name: entry.reading.kinds.get(name, TEXT) for name in entry.keys}
    return {name: {**kind.schema} for name, kind in kinds.items()}


def _looked_into(tap: TapCsvGithub, placed: PlacedFile) -> dict[str, Kind]:
    """The columns of one file; one that cannot be read says so when it is to be read."""
    try:
        content = tap.contents.sample(placed.source, placed.file, SAMPLE)
    except CrmdbError as error:
        if error.stops_run:
            raise
        tap.logger.warning("%s: %s; its columns are not known yet", placed.path, error)
        return {}
    try:
        table = sampled(placed.path, content, placed.entry.reading)
        return {} if table is None else dict(_columns(table, placed))
    except CrmdbError as error:
        tap.logger.warning("%s; its columns are not known yet", error)
        return {}
    finally:
        tap.contents.done(placed.source, placed.file, content)


def _columns(table: Table, placed: PlacedFile) -> Iterable[tuple[str, Kind]]:
    reading = placed.entry.reading
    rows: Sequence[list[str]] = ()
    if reading.infer_types:
        block: Block = next(table.blocks, [])
        items = block.items() if isinstance(block, Even) else block
        rows = [item[1] for item in items if isinstance(item, tuple)]
        rows = rows if table.fits_sample else rows[:-1]  # the last one may be cut
    for at, name in enumerate(table.names):
        values = (row[at] for row in rows if len(row) > at and row[at] not in reading.null_values)
        yield name, reading.kinds.get(name) or (infer(values) if reading.infer_types else TEXT)
