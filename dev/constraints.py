"""Resolve `constraints.txt` anew: the newest versions that all packages agree on, for every Python we support.

The file names no package index, so it works with whichever one a user has.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = (
    "# Pins of the whole suite, for `pip install -c` and Meltano pip_url;"
    " made by `make constraints`. Names no package index.\n"
)
PROJECT = """[project]
name = "pins"
version = "0"
requires-python = ">=3.11,<3.15"
dependencies = {dependencies!r}
"""
QUIET = ("--no-annotate", "--no-header", "--no-emit-index-url", "--quiet")


def main() -> int:
    """Write the file, or exit as uv did."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "pyproject.toml"
        # a project of its own, because only a project can say for which Pythons to resolve
        project.write_text(PROJECT.format(dependencies=_requirements()), "utf-8")
        uv = [
            str(Path(sys.executable).with_name("uv")),
            "pip",
            "compile",
            "--universal",
            *QUIET,
            str(project),
        ]
        done = subprocess.run(uv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return done.returncode
    (ROOT / "constraints.txt").write_text(HEADER + done.stdout, "utf-8")
    return 0


def _requirements() -> list[str]:
    """What all packages and the workspace ask of others."""
    wanted: set[str] = set()
    for path in [ROOT / "pyproject.toml", *sorted(ROOT.glob("*/pyproject.toml"))]:
        content = tomllib.loads(path.read_text("utf-8"))
        project = content["project"]
        wanted.update(project["dependencies"], *project.get("optional-dependencies", {}).values())
        wanted.update(*content.get("dependency-groups", {}).values())
    return [line for line in sorted(wanted) if not line.startswith("crmdb-")]


if __name__ == "__main__":
    sys.exit(main())
