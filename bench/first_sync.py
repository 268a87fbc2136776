"""A first sync of everything under HubSpot's limits, by every contender in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.emitted import Emitted
from bench.measure import TOO_LONG, FailedRunError
from bench.readers import IDEAL, OURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.calls import Calls
    from bench.measure import Usage
    from bench.readers import Kitchen, Reader


@dataclass(frozen=True)
class Attempt:
    """One contender's run: what it took and read, or how it failed."""

    contender: str
    repeat: int
    properties: int
    records: int
    usage: Usage | None
    failure: str
    calls: Calls
    limit: float | None = None  # seconds that it might take

    @property
    def limit_reached(self) -> bool:
        """Whether it was stopped for that."""
        return self.usage is None and self.failure.startswith(TOO_LONG)

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        plain = {name: value for name, value in vars(self).items() if name not in {"usage", "calls"}}
        calls = {f"{call} → {status}": count for (call, status), count in self.calls.counted.items()}
        return {**plain, "usage": vars(self.usage) if self.usage else None, "calls": calls}


@dataclass
class FirstSync:
    """The contenders' runs on one fake; what ours emitted last is kept for the delta."""

    kitchen: Kitchen
    properties: int
    limit: float  # seconds that a peer may take
    attempts: list[Attempt] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def run(self, own: Sequence[Reader], peers: Sequence[Reader], repeats: int) -> None:
        """Let our own take turns in changing order, then each peer once: they take minutes."""
        self._attempt(own[0], "warm")  # the fake makes every row for the first time
        for repeat in range(repeats):
            for reader in own if repeat % 2 == 0 else own[::-1]:
                self._keep(self._attempt(reader, repeat))
        for reader in peers:
            self._keep(self._attempt(reader, 0))

    def _keep(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        took = attempt.failure or (f"{attempt.usage.seconds:.2f} s" if attempt.usage else "")
        said = f"{took}, {attempt.records:,} records, {attempt.calls.total():,} calls"
        print(f"  {attempt.contender}, {attempt.properties} properties: {said}", flush=True)
        if attempt.failure and attempt.contender in {IDEAL, OURS}:
            raise SystemExit(self.kitchen.workshop.log(_name(attempt.contender)))

    def _attempt(self, reader: Reader, repeat: int | str) -> Attempt:
        output = self.kitchen.workshop.folder / "emitted"
        limit = None if reader.name in {IDEAL, OURS} else self.limit
        before = self.kitchen.fake.calls()
        usage, failure, records = None, "", 0
        try:
            usage = self.kitchen.workshop.attempt(
                reader.command(token(reader.name, repeat), None),
                name=_name(reader.name),
                stdout=output,
                limit=limit,
            )
            records = self._checked(reader, output)
        except FailedRunError as error:
            failure = str(error)
        calls = self.kitchen.fake.calls().since(before)
        if failure and (refusals := calls.refusals()):
            failure += " after answers " + ", ".join(f"{status} ({count} times)" for status, count in refusals.items())
        output.unlink()
        number = repeat if isinstance(repeat, int) else -1
        return Attempt(reader.name, number, self.properties, records, usage, failure, calls, limit)

    def _checked(self, reader: Reader, output: Path) -> int:
        """How many records it read; raises FailedRunError where one is missing."""
        wanted = self.kitchen.ids
        if not reader.keys:
            records, total = int(output.read_text("utf-8")), sum(map(len, wanted.values()))
            lost = total - records
        else:
            emitted = Emitted.read(output, reader.keys)
            records, lost = emitted.records, emitted.missing(wanted)
            if reader.name == OURS:
                self.state = emitted.state
        if lost:
            raise FailedRunError(f"{lost:,} records are missing")
        return records


def token(name: str, repeat: int | str) -> str:
    """The token of one run: another app to the fake, so that no run meets the calls of the one before."""
    return f"{_name(name)}-{repeat}"


def _name(contender: str) -> str:
    return contender.replace("/", "-").replace(" ", "-")
