"""A tap in a process of its own, stopped once it is inside a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

# the tap as its console script runs it, but with a STATE every 50 ms: a test has no time for the usual few seconds
SCRIPT = """
from tap_hubspot.tap import TapHubSpot
TapHubSpot.state_seconds = 0.05
from tap_hubspot.__main__ import main
main()
"""


def stop_inside(process: subprocess.Popen[str], signum: int) -> str:
    """Signal the process once a STATE says that it is inside a stream; returns all that it printed."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if '"type":"STATE"' in line and '"point"' in line:
            process.send_signal(signum)
            break
    lines.append(process.stdout.read())  # not by communicate(), which knows nothing of what is read ahead
    process.communicate(timeout=60)
    return "".join(lines)
