"""The console script `tap-salesforce`."""

from __future__ import annotations

from typing import NoReturn

from crmdb_core.exits import run
from tap_salesforce.tap import TapSalesforce


def main() -> NoReturn:
    """Run the tap and exit."""
    run(TapSalesforce.cli, name="tap-salesforce")


if __name__ == "__main__":
    main()
