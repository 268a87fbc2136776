"""singer-io's tap-hubspot with another root of the API, which is fixed in its code: `singer_hubspot_tap.py URL ARGS…`.

Runs in the environment of singer-hubspot.txt.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

if __name__ == "__main__":
    root = sys.argv.pop(1)
    tap: Any = import_module("tap_hubspot")
    tap.BASE_URL = root
    tap.main()
