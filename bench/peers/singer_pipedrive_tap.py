"""singer-io's tap-pipedrive with another root of the API than its code has: `singer_pipedrive_tap.py URL ARGS…`.

Runs in the environment of singer-pipedrive.txt.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

if __name__ == "__main__":
    root = sys.argv.pop(1)
    tap: Any = import_module("tap_pipedrive.tap")
    tap.BASE_URL = root
    import_module("tap_pipedrive.cli").main()
