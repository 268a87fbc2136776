"""Somebody else's tap-salesforce with another login host, which is fixed in its code: `salesforce_tap.py URL ARGS…`.

The host of the API itself comes with the token. Runs in the environment of the tap.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

LOGIN = "https://login.salesforce.com"

if __name__ == "__main__":
    root = sys.argv.pop(1)
    adapters: Any = import_module("requests.adapters")
    send = adapters.HTTPAdapter.send

    def send_here(adapter: Any, request: Any, *args: Any, **options: Any) -> Any:
        """Send what is meant for the login host to the fake."""
        if request.url.startswith(LOGIN):
            request.url = root + request.url[len(LOGIN) :]
            adapter = adapters.HTTPAdapter()
        return send(adapter, request, *args, **options)

    adapters.HTTPAdapter.send = send_here
    tap: Any = import_module("tap_salesforce")
    tap.main()
