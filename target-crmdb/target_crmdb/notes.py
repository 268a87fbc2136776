"""STATE as the tap sends it: what Meltano must keep, and the reserved object `run`, which only we read."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from target_crmdb.history import RunNote

_RESERVED = "run"
_encode = msgspec.json.Encoder(decimal_format="number").encode


def split_state(value: Mapping[str, Any]) -> tuple[str | None, dict[str, RunNote]]:
    """Give the STATE to print, as JSON text, and what the tap says of its streams.

    An empty STATE gives None: printing it would clear what Meltano has (meltano/sdk#3000).
    """
    run = value.get(_RESERVED)
    streams = run.get("streams") if isinstance(run, dict) else None
    reserved = isinstance(streams, dict)
    kept = {name: part for name, part in value.items() if not (reserved and name == _RESERVED)}
    notes = {str(stream): _note(note) for stream, note in streams.items()} if isinstance(streams, dict) else {}
    return (_encode(kept).decode() if kept else None), notes


def _note(note: Any) -> RunNote:
    fields = note if isinstance(note, dict) else {}
    waited = _whole(fields.get("waited_ms"))
    return RunNote(
        expected=_whole(fields.get("expected")),
        calls=_whole(fields.get("calls")),
        waited_seconds=None if waited is None else Decimal(waited) / 1000,
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
