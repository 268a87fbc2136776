"""Run `mypy --strict` over every package, and over the tests and tools, which are no packages, file by file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "crmdb_core",
    "fake_crm",
    "tap_hubspot",
    "tap_salesforce",
    "tap_pipedrive",
    "tap_csv_github",
    "target_crmdb",
)
FOLDERS = ("tests", "bench", "dev")


def main() -> int:
    """Exit as the worst of the two runs."""
    scripts = [str(path) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    packages = [part for name in PACKAGES for part in ("-p", name)]
    runs = (packages, ["--scripts-are-modules", *scripts])
    return max(subprocess.run([sys.executable, "-m", "mypy", *run], cwd=ROOT, check=False).returncode for run in runs)


if __name__ == "__main__":
    sys.exit(main())
