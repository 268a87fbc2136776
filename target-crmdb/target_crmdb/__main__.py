"""The console script `target-crmdb`."""

import gc
from typing import NoReturn

from target_crmdb.lean_imports import lean_imports

# for HTTP, remote files, process pools, JSON paths, lists of versions and mapping files; all are installed with the SDK
_RARELY_NEEDED = ("joblib", "jsonpath_ng", "packaging", "requests", "upath", "urllib3", "yaml")


def main() -> NoReturn:
    """Run the target and exit with an honest code."""
    gc.disable()  # nothing of what an import makes is garbage, and looking for some takes a tenth of it
    with lean_imports(*_RARELY_NEEDED):
        from crmdb_core.exits import run  # noqa: PLC0415 - as the next one
        from target_crmdb.target import TargetCrmdb  # noqa: PLC0415 - two thirds of a start are imports
    gc.freeze()
    gc.enable()
    run(TargetCrmdb.cli, name=TargetCrmdb.name)


if __name__ == "__main__":
    main()
