"""MeltanoLabs' tap-hubspot with another root of the API, fixed in its classes: `meltanolabs_hubspot_tap.py URL ARGS…`.

Runs in the environment of meltanolabs-hubspot.txt.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_FIXED = "https://api.hubapi.com"


def _moved(original: Any, root: str) -> property:
    return property(lambda stream: original.fget(stream).replace(_FIXED, root))


def main(root: str) -> None:
    """Move every class that says where the API is, then run the tap."""
    for module in (import_module("tap_hubspot.client"), import_module("tap_hubspot.streams")):
        for each in vars(module).values():
            if isinstance(each, type) and each.__module__ == module.__name__ and "url_base" in vars(each):
                each.url_base = _moved(vars(each)["url_base"], root)  # type: ignore[attr-defined]
    import_module("tap_hubspot.tap").TapHubspot.cli()


if __name__ == "__main__":
    main(sys.argv.pop(1))
