"""What a tap has written, held against what there is: no id may be missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Emitted:
    """RECORD messages of a run: how many there were, and the ids by stream; the last STATE."""

    records: int
    ids: Mapping[str, set[str]]
    state: dict[str, Any]

    @classmethod
    def read(cls, path: Path, keys: Mapping[str, str]) -> Emitted:
        """Read a file of Singer messages; `keys` says which field names a record of each stream."""
        records, state = 0, {}
        ids: dict[str, set[str]] = {stream: set() for stream in keys}
        with path.open("rb") as lines:
            for line in lines:
                message = json.loads(line)
                if message["type"] == "RECORD":
                    records += 1
                    ids[message["stream"]].add(str(message["record"][keys[message["stream"]]]))
                elif message["type"] == "STATE":
                    state = message["value"]
        return cls(records, ids, state)

    def missing(self, wanted: Mapping[str, Iterable[str]]) -> int:
        """How many of the wanted ids did not come."""
        return sum(len(set(ids) - self.ids.get(stream, set())) for stream, ids in wanted.items())
