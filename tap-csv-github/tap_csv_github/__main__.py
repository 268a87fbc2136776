"""The console script `tap-csv-github`."""

from typing import NoReturn

from crmdb_core.start import start


def main() -> NoReturn:
    """Run the tap and exit."""
    start("tap_csv_github.tap:TapCsvGithub")


if __name__ == "__main__":
    main()
