"""What must never stand in the tree: package index hosts, machine paths, secrets, lock files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# spelled in pieces, so that this file does not hold what it looks for
INDEX_HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "python" + r"hosted\.", "npm" + r"js\.(com|org)", "conda" + r"\.anaconda"])
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}~-])/" + r"(?:work|root|home/\w+|Users/\w+)/[\w.]")
SECRETS = re.compile(
    "|".join([r"pat-(na|eu)\d-[0-9a-f]{8}-[0-9a-f]{4}", r"-----BEGIN [A-Z ]*PRIVATE " + "KEY", r"gh[pousr]_\w{30}"])
)


def tracked() -> list[Path]:
    """The files that git holds or would take, as text."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "unwanted", [INDEX_HOSTS, MACHINE_PATHS, SECRETS], ids=["index hosts", "machine paths", "secrets"]
)
def test_no_file_holds_it(unwanted: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in tracked()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if (match := unwanted.search(line))
    ]
    assert found == []


def test_there_is_no_lock_file() -> None:
    assert [path for path in tracked() if path.name in {"uv.lock", "poetry.lock"}] == []


def test_every_pip_url_is_bound_by_the_constraints() -> None:
    urls = [line.strip() for line in (ROOT / "meltano.yml").read_text("utf-8").splitlines() if "pip_url:" in line]
    assert urls
    assert [url for url in urls if "-c constraints.txt" not in url] == []
