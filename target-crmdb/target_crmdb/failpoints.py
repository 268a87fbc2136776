"""Named points at which a test can kill the process: `CRMDB_FAILPOINTS="after_copy:3=kill;before_state=term"`.

Without that variable a point does nothing. A number after the name counts the passes before it acts.
"""

import os
import signal
from collections import Counter


class Failpoints:
    """The points that the environment switches on, and how often each was passed."""

    def __init__(self, text: str) -> None:
        self._actions = dict(_parse(point) for point in text.split(";") if point.strip())
        self._passed: Counter[str] = Counter()

    def hit(self, name: str) -> None:
        """Pass a point; acts if it is switched on and this is the pass asked for."""
        if name not in self._actions:
            return
        self._passed[name] += 1
        wanted, action = self._actions[name]
        if self._passed[name] == wanted:
            _act(action)


def from_environment() -> Failpoints:
    """Read CRMDB_FAILPOINTS."""
    return Failpoints(os.environ.get("CRMDB_FAILPOINTS", ""))


def _parse(point: str) -> tuple[str, tuple[int, str]]:
    where, _, action = point.strip().partition("=")
    name, _, count = where.partition(":")
    return name, (int(count or 1), action)


def _act(action: str) -> None:
    number = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}.get(action)
    if number is None:
        raise ValueError(f"Unknown failpoint action {action!r}; use kill, term or stop.")
    os.kill(os.getpid(), number)
