"""The contenders' turns on one feed, every table held against psql's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.contenders import FLOOR
from bench.feeds import NOTHING
from bench.table import Layout, Reading, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.contenders import Contender
    from bench.database import Database, Server
    from bench.feeds import Feed
    from bench.measure import Usage, Workshop


@dataclass(frozen=True)
class Load:
    """One load of one contender."""

    feed: str
    step: str
    contender: str
    repeat: int
    rows: int
    usage: Usage
    wal_mb: float
    row_records: int | None  # of the log, about the table's rows and keys


@dataclass
class Contest:
    """The contenders' turns on one feed; the first one's tables, psql's, are what the others' are held against."""

    workshop: Workshop
    server: Server
    feeds: Mapping[str, Feed]
    contenders: Sequence[Contender]
    expected: dict[tuple[str, Reading], dict[str, Any]] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)

    def run(self, repeats: int) -> Iterator[Load]:
        """Let all take turns, in changing order."""
        for repeat in range(repeats):
            for contender in self.contenders if repeat % 2 == 0 else self.contenders[::-1]:
                yield from self._turn(contender, repeat)

    def relaxed(self) -> Iterator[tuple[str, str]]:
        """Per contender, what its table has otherwise than psql's, and so was let pass or compared after a cast."""
        for contender in self.contenders:
            layout = self.layouts[contender.name]
            pairs = zip(self.layouts[FLOOR].types.values(), layout.types.values(), strict=True)
            others = Counter(pair for pair in pairs if pair[0] != pair[1])
            said = [f"{wanted} as {found} (columns: {count})" for (wanted, found), count in others.items()]
            said += [] if layout.unique else ["no unique index on the key"]
            said += [contender.reading.says] if contender.reading.says else []
            if said:
                yield contender.name, "; ".join(said)

    def _turn(self, contender: Contender, repeat: int) -> Iterator[Load]:
        """Let one contender do all loads, in databases of its own."""
        with self.server.database() as database:
            # apart from the others: statistics of an empty table would spoil the plans of the first real load
            yield self._load(contender, repeat, NOTHING, database)
        with self.server.database() as database:
            for step in (step for step in self.feeds if step != NOTHING):
                yield self._load(contender, repeat, step, database)

    def _load(self, contender: Contender, repeat: int, step: str, database: Database) -> Load:
        feed = self.feeds[step]
        table = Table(database.url, feed.shape)
        database.settle()
        start = database.wal_position()
        usage = contender.load(self.workshop, feed, database, step)
        end = database.wal_position()
        print(f"  {contender.name}, {step}: {feed.rows:,} rows in {usage.seconds:.2f} s", flush=True)
        if feed.rows:
            self._check(contender, step, table)
        return Load(
            feed.shape.stream,
            step,
            contender.name,
            repeat,
            feed.rows,
            usage,
            wal_mb=(end - start) / 1e6,
            row_records=self.server.row_records(table, start, end),
        )

    def _check(self, contender: Contender, step: str, table: Table) -> None:
        self.layouts[contender.name] = table.layout()
        readings = {one.reading for one in self.contenders} if contender.name == FLOOR else {contender.reading}
        for reading in readings:
            found = table.fingerprint(reading)
            expected = self.expected.setdefault((step, reading), found)
            if wrong := [name for name, value in expected.items() if found[name] != value]:
                raise SystemExit(f"{contender.name}, {step}: not equal to {FLOOR}'s table in {', '.join(wrong)}")
