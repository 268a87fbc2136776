"""The console script `tap-hubspot`."""

from __future__ import annotations

from typing import NoReturn

from crmdb_core.exits import run
from tap_hubspot.tap import TapHubSpot


def main() -> NoReturn:
    """Run the tap and exit."""
    run(TapHubSpot.cli, name="tap-hubspot")


if __name__ == "__main__":
    main()
