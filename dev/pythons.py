"""Run the plugins' tests on every supported Python found besides the one of `.venv`, and say which those were."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
TESTS = (
    "tests/crmdb_core",
    "tests/fake_crm",
    "tests/tap_hubspot",
    "tests/tap_salesforce",
    "tests/tap_pipedrive",
    "tests/tap_csv_github",
    "tests/target_crmdb",
)
_ELSEWHERE = (
    "tests/target_crmdb/faults",
    *(f"{folder}/test_property.py" for folder in TESTS if "/tap_" in folder),
)
PROBE = "import sys, ssl, sqlite3; print('%d.%d' % sys.version_info[:2])"


def main() -> int:
    """Exit 1 where one of them fails."""
    main_version = _probe(str(ROOT / ".venv" / "bin" / "python"))
    others = {version: python for version in SUPPORTED if version != main_version and (python := _find(version))}
    failed = [version for version, python in others.items() if not _passes(version, python)]
    absent = [version for version in SUPPORTED if version != main_version and version not in others]
    print(
        f"Pythons: {main_version} (whole suite, apart), {', '.join(others) or 'no other'} (plugins' tests)"
        f"; not on this machine: {', '.join(absent) or 'none'}; failed: {', '.join(failed) or 'none'}"
    )
    return 1 if failed else 0


def _passes(version: str, python: str) -> bool:
    venv = f".venv-{version}"
    setup = [python, "dev/setup.py", "--dev", "--venv", venv]
    if subprocess.run(setup, cwd=ROOT, check=False).returncode:
        return False
    # what depends on Python does so on any server; faults, kills and random runs try Postgres, the network and us
    where = ["-k", "not installed and not kill", *(part for path in _ELSEWHERE for part in ("--ignore", path))]
    how = ("-q", "-n", "auto", "--dist", "loadfile", "-m", "not long")
    pytest: list[str | Path] = [ROOT / venv / "bin" / "python", "-m", "pytest", *how, *where, *TESTS]
    env = {**os.environ, "CRMDB_REQUIRE_POSTGRES": ""}  # that is asked of the whole suite
    return subprocess.run(pytest, cwd=ROOT, env=env, check=False).returncode == 0


def _find(version: str) -> str | None:
    """A working interpreter of this version: on PATH, or among pyenv's."""
    pyenv = Path.home() / ".pyenv" / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *map(str, sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)),
    ]
    return next((python for python in candidates if python and _probe(python) == version), None)


def _probe(python: str) -> str | None:
    try:
        done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
