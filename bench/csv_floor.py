"""The floor: every row of CSV files as JSON, by the standard library and nothing else. `csv_floor.py FILE…`."""

from __future__ import annotations

import csv
import json
import sys


def main(paths: list[str]) -> None:
    """Print a JSON object for each row."""
    write = sys.stdout.write
    for path in paths:
        with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 - as anybody would write it
            reader = csv.reader(file)
            header = next(reader)
            for row in reader:
                write(json.dumps(dict(zip(header, row, strict=False))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
