"""The console script `tap-hubspot`."""

from typing import NoReturn

from crmdb_core.start import start


def main() -> NoReturn:
    """Run the tap and exit."""
    start("tap_hubspot.tap:TapHubSpot")


if __name__ == "__main__":
    main()
