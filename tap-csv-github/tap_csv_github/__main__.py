"""The console script `tap-csv-github`."""

import gc
from typing import NoReturn

from crmdb_core.start import start


def main() -> NoReturn:
    """Run the tap and exit."""
    gc.set_threshold(100_000)  # rows come by thousands, and none of them refers to itself
    start("tap_csv_github.tap:TapCsvGithub")


if __name__ == "__main__":
    main()
