"""STATE as the tap sends it: what Meltano must keep, and the reserved object `run`, which only we read."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from target_crmdb.history import RunNote

_RESERVED = "run"
_encode = msgspec.json.Encoder(decimal_format="number").encode


class TapState(NamedTuple):
    """A STATE taken apart: what to print (JSON text, or None), and what the tap says of its run and its streams."""

    kept: str | None
    status: str | None
    notes: Mapping[str, RunNote]


def split_state(value: Mapping[str, Any]) -> TapState:
    """Take the reserved `run` out of a STATE; taps that are not ours have none.

    An empty STATE is not to be printed: that would clear what Meltano has (meltano/sdk#3000).
    """
    run = value.get(_RESERVED)
    streams = run.get("streams") if isinstance(run, dict) else None
    if not isinstance(run, dict) or not isinstance(streams, dict):
        return TapState(_text(value), None, {})
    kept = {name: part for name, part in value.items() if name != _RESERVED}
    status = run.get("status")
    notes = {str(stream): _note(note) for stream, note in streams.items()}
    return TapState(_text(kept), status if isinstance(status, str) else None, notes)


def _text(state: Mapping[str, Any]) -> str | None:
    return _encode(state).decode() if state else None


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
