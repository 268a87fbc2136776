"""Remove what `make demo` left behind, and nothing else. Stops the demo's Postgres first, if one still runs."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "output" / "demo"


def main() -> int:
    """Stop, remove, say so."""
    crmdb = ROOT / ".venv" / "bin" / "crmdb"
    if DEMO.exists() and crmdb.exists():
        subprocess.run([str(crmdb), "embedded", "remove", str(DEMO / "pgdata")], check=True)
    shutil.rmtree(DEMO, ignore_errors=True)
    with contextlib.suppress(OSError):  # only if it is empty: `output` is also where dev keeps its data
        DEMO.parent.rmdir()
    print("the demo's data is gone (output/demo); .venv, .meltano and everything of yours stay")
    return 0


if __name__ == "__main__":
    sys.exit(main())
