"""All that is measured of targets: a file of contacts, one of wide rows, and a very long one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.contacts import CONTACTS
from bench.contenders import dlt, fast_peer, ours, ours_mapped, ours_without_rules, peer, pipelinewise, psql
from bench.contest import Contest, Load
from bench.environments import CannotInstallError
from bench.feeds import INITIAL, write_feeds, write_stream
from bench.mapped import MAPPED
from bench.table import Table
from bench.wide import WIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.contenders import Contender
    from bench.database import Server
    from bench.feeds import Feed
    from bench.measure import Usage, Workshop


@dataclass(frozen=True)
class Size:
    """One load of target-crmdb alone."""

    rows: int
    usage: Usage


@dataclass
class Findings:
    """All loads of all feeds, and what a reader must know to judge them."""

    loads: list[Load] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    relaxed: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """All that is measured of targets: a feed of many rows, one of wide rows, and one that is very long."""

    workshop: Workshop
    server: Server
    findings: Findings
    is_own: bool = False  # without the peers

    def contacts(self, rows: int, repeats: int) -> None:
        """Everybody loads contacts."""
        peers = [] if self.is_own else [peer(), fast_peer(), pipelinewise(), dlt()]
        here = [psql(self.server), ours(), *peers]
        feeds = write_feeds(self.workshop.folder, CONTACTS, rows)
        self._contest(feeds, [one for one in here if self._is_there(one)], repeats)

    def mapped(self, rows: int, repeats: int) -> None:
        """Only psql, which checks nothing, and target-crmdb, also without its rules, load contacts with a mapping."""
        feeds = write_feeds(self.workshop.folder, MAPPED, rows)
        self._contest(feeds, [psql(self.server), ours_mapped(), ours_without_rules()], repeats)

    def wide(self, rows: int, repeats: int) -> None:
        """Only psql and target-crmdb load wide rows: others take minutes for each."""
        feeds = write_feeds(self.workshop.folder, WIDE, rows)
        self._contest(feeds, [psql(self.server), ours()], repeats)

    def memory(self, rows: int) -> None:
        """Load a tenth of the contacts and all of them with target-crmdb, each into a database of its own."""
        for count in (max(rows // 10, 1), rows):
            feed = write_stream(self.workshop.folder, CONTACTS, count)
            with self.server.database() as database:
                usage = ours().load(self.workshop, feed, database, INITIAL)
                if (found := Table(database.url, CONTACTS).size()) != (count, count):
                    raise SystemExit(f"{ours().name}: {found} rows and keys instead of {count}")
            feed.singer.unlink()
            print(f"  {count:,} rows: {usage.peak_mb:.0f} MB", flush=True)
            self.findings.sizes.append(Size(count, usage))

    def _contest(self, feeds: Mapping[str, Feed], contenders: Sequence[Contender], repeats: int) -> None:
        contest = Contest(self.workshop, self.server, feeds, contenders)
        self.findings.loads.extend(contest.run(repeats))
        stream = feeds[INITIAL].shape.stream
        self.findings.relaxed.update({f"{stream}, {name}": said for name, said in contest.relaxed()})

    def _is_there(self, contender: Contender) -> bool:
        if not contender.environment:
            return True
        try:
            contender.environment.prepare()
        except CannotInstallError as error:
            self.findings.left_out[contender.name] = str(error)
            print(f"LEFT OUT: {contender.name}, which cannot be installed here: {error}", flush=True)
            return False
        self.findings.versions.update(contender.environment.versions())
        return True
