"""A delta: what one more run asks for after so many contacts have changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.emitted import Emitted

if TYPE_CHECKING:
    from bench.calls import Calls
    from bench.measure import Usage
    from bench.readers import Kitchen, Reader

_AN_HOUR = 3600.0
_A_SEARCH, _A_BATCH = 200, 100  # the most that HubSpot gives
_APART = ("schema", "archived scans")


@dataclass(frozen=True)
class Delta:
    """The changed records and the calls that reading them took."""

    changed: int
    records: int
    usage: Usage
    calls: Calls

    def contacts(self) -> dict[str, int]:
        """The calls about contacts by kind."""
        return self.calls.about("contacts").kinds()

    def goals(self) -> dict[str, tuple[int, int]]:
        """How many calls about contacts there were, and the most that so many may take, apart from `_APART`."""
        calls = self.contacts()
        searches, batches = calls.get("searches", 0), calls.get("batch reads", 0)
        others = sum(count for kind, count in calls.items() if kind not in _APART) - searches - batches
        return {
            "searches": (searches, -(-self.changed // _A_SEARCH) + 1),
            "batch reads": (batches, -(-self.changed // _A_BATCH)),
            "other calls": (others, 0),
        }

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        calls = {f"{call} → {status}": count for (call, status), count in self.calls.counted.items()}
        return {"changed": self.changed, "records": self.records, "usage": vars(self.usage), "calls": calls}


def measure_delta(kitchen: Kitchen, reader: Reader, token: str, state: dict[str, Any], changed: int) -> Delta:
    """Change contacts an hour after that state, and read an hour later: past every hold-back."""
    path = kitchen.workshop.folder / "state.json"
    path.write_text(json.dumps(state), "utf-8")
    kitchen.fake.advance(_AN_HOUR)
    wanted = {"contacts": kitchen.fake.edit("contacts", changed)}
    kitchen.fake.advance(_AN_HOUR)
    before, output = kitchen.fake.calls(), kitchen.workshop.folder / "emitted"
    usage = kitchen.workshop.run(reader.command(token, path), stdout=output)
    emitted = Emitted.read(output, reader.keys)
    if lost := emitted.missing(wanted):
        raise SystemExit(f"{reader.name}: {lost:,} changed contacts are missing")
    return Delta(changed, emitted.records, usage, kitchen.fake.calls().since(before))
