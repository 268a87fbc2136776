"""The console script `target-crmdb`."""

from typing import NoReturn

from crmdb_core.start import start


def main() -> NoReturn:
    """Run the target and exit with an honest code."""
    start("target_crmdb.target:TargetCrmdb", rarely_needed=("requests", "urllib3"))  # those are for taps


if __name__ == "__main__":
    main()
