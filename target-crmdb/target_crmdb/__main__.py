"""The console script `target-crmdb`."""

from typing import NoReturn

from crmdb_core.exits import run
from target_crmdb.target import TargetCrmdb


def main() -> NoReturn:
    """Run the target and exit with an honest code."""
    run(TargetCrmdb.cli, name=TargetCrmdb.name)


if __name__ == "__main__":
    main()
