"""The console script `tap-pipedrive`."""

from __future__ import annotations

from typing import NoReturn

from crmdb_core.exits import run
from tap_pipedrive.tap import TapPipedrive


def main() -> NoReturn:
    """Run the tap and exit."""
    run(TapPipedrive.cli, name="tap-pipedrive")


if __name__ == "__main__":
    main()
