"""The console script `tap-csv-github`."""

from __future__ import annotations

from typing import NoReturn

from crmdb_core.exits import run
from tap_csv_github.tap import TapCsvGithub


def main() -> NoReturn:
    """Run the tap and exit."""
    run(TapCsvGithub.cli, name="tap-csv-github")


if __name__ == "__main__":
    main()
