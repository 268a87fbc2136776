"""The console script `tap-salesforce`."""

from typing import NoReturn

from crmdb_core.start import start


def main() -> NoReturn:
    """Run the tap and exit."""
    start("tap_salesforce.tap:TapSalesforce", rarely_needed=("cryptography", "jwt"))


if __name__ == "__main__":
    main()
