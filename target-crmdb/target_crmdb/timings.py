"""How long a stream's batches took; bounded in memory, exact for the last thousand."""

from collections import deque

_KEPT = 1000


class Timings:
    """Seconds of one stream's batches."""

    def __init__(self) -> None:
        self._last: deque[tuple[int, float]] = deque(maxlen=_KEPT)
        self.batches = 0

    def add(self, number: int, seconds: float) -> None:
        """Note a batch; one that is tried again counts once, with its last time."""
        if self._last and self._last[-1][0] == number:
            self._last.pop()
        else:
            self.batches += 1
        self._last.append((number, seconds))

    def percentile(self, share: float) -> float | None:
        """Give the time that this share of the batches did not exceed (nearest rank)."""
        if not self._last:
            return None
        ordered = sorted(seconds for _, seconds in self._last)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
