"""The console script `tap-pipedrive`."""

from typing import NoReturn

from crmdb_core.start import start


def main() -> NoReturn:
    """Run the tap and exit."""
    start("tap_pipedrive.tap:TapPipedrive")


if __name__ == "__main__":
    main()
