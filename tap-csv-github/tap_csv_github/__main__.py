"""The console script `tap-csv-github`."""

from __future__ import annotations

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run the tap and exit."""
    gc.disable()  # nothing of what an import makes is garbage, and looking for some takes a tenth of it
    from crmdb_core.exits import run  # noqa: PLC0415 - most of a start is imports, and none of it is garbage
    from tap_csv_github.tap import TapCsvGithub  # noqa: PLC0415 - as above

    gc.freeze()
    gc.set_threshold(100_000)  # rows come by thousands, and none of them refers to itself
    gc.enable()
    run(TapCsvGithub.cli, name="tap-csv-github")


if __name__ == "__main__":
    main()
