"""`fake-crm`: serve a fake, and move one that is being served."""

from __future__ import annotations

import sys

from fake_crm.cli import run


def main() -> None:
    """Run the command line; 78 for wrong settings, 1 for a failure."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
