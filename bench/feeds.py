"""The loads as files: the same rows as Singer messages and as CSV for psql."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from bench.shape import BOOKMARK, KEY, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bench.shape import Row

T = TypeVar("T")

NOTHING = "start"  # the load without rows: what a program needs before the first one
INITIAL, UPDATE, UNCHANGED = "initial", "update", "unchanged"
_STATE_EVERY = 10_000
_CHANGED = 0.30
_NEW = 0.05
_SEED = 42


@dataclass(frozen=True)
class Feed:
    """One load: the same rows in two forms."""

    shape: Shape
    rows: int
    stem: Path

    @property
    def singer(self) -> Path:
        """The messages."""
        return self.stem.with_suffix(".singer")

    @property
    def csv(self) -> Path:
        r"""The rows, null as \N; absent where psql takes no part."""
        return self.stem.with_suffix(".csv")


def write_feeds(folder: Path, shape: Shape, rows: int) -> dict[str, Feed]:
    """Write the loads by name: none; all rows; 30 % of them changed and 5 % new, shuffled; the whole table again."""
    return _apart(_feeds, folder, shape, rows)


def write_stream(folder: Path, shape: Shape, rows: int) -> Feed:
    """Write the first load alone and for targets alone, holding one row at a time."""
    return _apart(_stream, folder, shape, rows)


def _apart(write: Callable[[Path, Shape, int], T], folder: Path, shape: Shape, rows: int) -> T:
    """Write in another process: a large parent would count as memory of each child that it starts."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(write, folder, shape, rows).result()


def _feeds(folder: Path, shape: Shape, rows: int) -> dict[str, Feed]:
    chance = Random(_SEED)
    table = [shape.make(chance, number) for number in range(rows)]
    changed = [shape.change(chance, row) for row in chance.sample(table, int(rows * _CHANGED))]
    added = [shape.make(chance, rows + number) for number in range(int(rows * _NEW))]
    update = [*changed, *added]
    chance.shuffle(update)
    final = {row[KEY]: row for row in [*table, *update]}
    return {
        NOTHING: _write(folder / f"{shape.stream}-{NOTHING}", shape, []),
        INITIAL: _write(folder / f"{shape.stream}-{INITIAL}", shape, table),
        UPDATE: _write(folder / f"{shape.stream}-{UPDATE}", shape, update),
        UNCHANGED: _write(folder / f"{shape.stream}-{UNCHANGED}", shape, [*final.values()]),
    }


def _stream(folder: Path, shape: Shape, rows: int) -> Feed:
    chance = Random(_SEED)
    feed = Feed(shape, rows, folder / f"{shape.stream}-{rows}")
    _write_singer(feed, (shape.make(chance, number) for number in range(rows)))
    return feed


def _write(stem: Path, shape: Shape, rows: list[Row]) -> Feed:
    feed = Feed(shape, len(rows), stem)
    _write_singer(feed, rows)
    with feed.csv.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerows([r"\N" if row[name] is None else row[name] for name in shape.columns] for row in rows)
    return feed


def _write_singer(feed: Feed, rows: Iterable[Row]) -> None:
    with feed.singer.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(message, ensure_ascii=False) + "\n" for message in _messages(feed, rows))


def _messages(feed: Feed, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    stream = feed.shape.stream
    yield {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": {name: one.schema for name, one in feed.shape.columns.items()}},
        "key_properties": [KEY],
        "bookmark_properties": [BOOKMARK],
    }
    for number, row in enumerate(rows, 1):
        yield {"type": "RECORD", "stream": stream, "record": row}
        if number % _STATE_EVERY == 0 or number == feed.rows:
            yield {"type": "STATE", "value": {"bookmarks": {stream: {"position": number}}}}
