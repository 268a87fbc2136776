"""Run a command and write down what it took: `spawn.py RESULT COMMAND…`.

A small process of its own, since a child counts its parent's memory at the fork as its own peak (getrusage(2)).
"""

import json
import os
import sys
import time

if __name__ == "__main__":
    started = time.monotonic()
    child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, status, used = os.wait4(child, 0)
    took = {
        "started": started,
        "ended": time.monotonic(),
        "cpu": used.ru_utime + used.ru_stime,
        # bytes on macOS, KiB on Linux
        "peak_mb": used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024),
    }
    with open(sys.argv[1], "w", encoding="utf-8") as result:  # noqa: PTH123 - pathlib would double this process
        json.dump(took, result)
    sys.exit(os.waitstatus_to_exitcode(status))
