"""Lines that came together, sorted by stream: records of several streams may come in turns.

Between two messages that are no records, the order of records matters within a stream only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from target_crmdb.reader import envelope_of
from target_crmdb.sink import StreamSink
from target_crmdb.validation.compiled import Message


@dataclass(frozen=True)
class Group:
    """Records of one stream and of one version, and where each stands among the lines."""

    sink: StreamSink
    messages: list[Message] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def take(
        self, lines: Sequence[bytes], number: int, noted: Callable[[int], None], otherwise: Callable[[int], None]
    ) -> None:
        """Hand the records to their sink, in their order; `number` is that of the first of all lines.

        Those that must go another way are handed to `otherwise`, by their place; `noted` is told the bytes of others.
        """
        waiting = self.sink.common(self.messages, [(number + place, lines[place]) for place in self.places])
        at = 0
        for stop in (*sorted(waiting.found.odd), len(self.places)):
            while at <= stop and at < len(self.places):
                if at < stop:
                    taken = self.sink.take_common(waiting, slice(at, stop))
                    noted(sum(len(line) for _, line in waiting.places[at : at + taken]))
                    at += taken
                if at < len(self.places):  # an odd one, or one that cannot be stored
                    otherwise(self.places[at])
                    at += 1


def by_stream(
    lines: Sequence[bytes], begin: int, end: int, latest: StreamSink | None, sinks: Mapping[str, StreamSink]
) -> tuple[Sequence[Group], int]:
    """Read lines as records of the common form, up to the first that is none; give them by stream, and its place."""
    groups: dict[str, Group] = {}
    sink, place = latest, begin
    while place < end:
        found = sink.messages(lines[place:end]) if sink is not None else ()
        if sink is None or not found:
            other = _sink_of(lines[place], sinks)
            if other is None or other is sink:
                break
            sink = other
            continue
        group = groups.setdefault(sink.stream_name, Group(sink))
        if group.messages and group.messages[0].version != found[0].version:
            break
        group.messages.extend(found)
        group.places.extend(range(place, place + len(found)))
        place += len(found)
    return [*groups.values()], place


def _sink_of(line: bytes, sinks: Mapping[str, StreamSink]) -> StreamSink | None:
    envelope = envelope_of(line)
    return sinks.get(envelope.stream or "") if envelope is not None and envelope.type == "RECORD" else None
