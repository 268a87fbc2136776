"""Set up `.venv` from python3 and pip alone: the workspace's packages, Meltano and, with `--dev`, the test tools.

Runs with nothing installed, does nothing when nothing changed, and prints one line on what it did.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOWEST, ABOVE_HIGHEST = (3, 11), (3, 15)
PACKAGES = (
    "crmdb-core",
    "fake-crm",
    "tap-hubspot",
    "tap-salesforce",
    "tap-pipedrive",
    "tap-csv-github",
    "target-crmdb[embedded]",
)
EXIT_CONFIG = 78


def main() -> int:
    """Create or refresh the environment; exit 78 where this machine lacks what it takes."""
    options = _options()
    python = _suitable_python()
    venv = ROOT / options.venv
    with _alone(venv):
        return _refresh(venv, python, dev=options.dev)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also the tools that tests need")
    parser.add_argument("--venv", default=".venv", help="folder of the environment (default: .venv)")
    return parser.parse_args()


def _refresh(venv: Path, python: str, *, dev: bool) -> int:
    stamp = venv / "crmdb-setup.json"
    wanted = _fingerprint(python)
    done = _read(stamp)
    dev = dev or (bool(done.get("dev")) and done.get("fingerprint") == wanted)
    if done.get("fingerprint") == wanted and done.get("dev") == dev:
        return 0
    started = time.monotonic()
    print(f"setting up {venv.name} with Python {_version(python)} …", flush=True)
    stamp.unlink(missing_ok=True)
    _make_venv(venv, python)
    installer = _install(venv, python, [*_requirements(dev=dev)])
    stamp.write_text(json.dumps({"fingerprint": wanted, "dev": dev, "installer": installer}), "utf-8")
    print(f"{venv.name} is ready ({time.monotonic() - started:.0f} s, installed by {installer})", flush=True)
    return 0


def _requirements(*, dev: bool) -> list[str]:
    import tomllib  # noqa: PLC0415 - absent from the older Pythons that _suitable_python turns away

    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    others = [line for line in workspace["project"]["dependencies"] if not line.startswith("crmdb-")]
    if dev:
        others += workspace["dependency-groups"]["dev"]
    return [part for name in PACKAGES for part in ("-e", f"./{name}")] + others


def _install(venv: Path, python: str, requirements: list[str]) -> str:
    """Install with uv, which is fast; with pip where only pip knows the way to a package index."""
    target = str(venv / "bin" / "python")
    pip = [*_pip(python), "--python", target, "install", "--quiet", "-c", "constraints.txt"]
    _run([*pip, "uv"])
    uv = [str(venv / "bin" / "uv"), "pip", "install", "--quiet", "--python", target, "-c", "constraints.txt"]
    if subprocess.run([*uv, *requirements], cwd=ROOT, check=False).returncode == 0:
        return "uv"
    print("uv could not install; trying pip, which reads pip's own configuration …", flush=True)
    _run([*pip, *requirements])
    return "pip"


def _make_venv(venv: Path, python: str) -> None:
    if _version(str(venv / "bin" / "python")) != _version(python):
        # no pip inside: Debian's python3 lacks ensurepip, and the outer pip serves as well
        _run([python, "-m", "venv", "--clear", "--without-pip", str(venv)])


def _pip(python: str) -> list[str]:
    candidates = [[python, "-m", "pip"], ["pip3"], ["pip"]]
    for command in candidates:
        if shutil.which(command[0]) and _quiet([*command, "--version"]) is not None:
            return command
    _stop("pip was not found; install it (Debian and Ubuntu: apt install python3-pip) and run again")
    raise AssertionError


def _suitable_python() -> str:
    for name in (sys.executable, "python3.14", "python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        version = _version(found) if found else None
        if found and version and LOWEST <= tuple(map(int, version.split(".")[:2])) < ABOVE_HIGHEST:
            return found
    _stop("Python 3.11 to 3.14 is needed, but none was found; install one or call make with PYTHON=/path/to/it")
    raise AssertionError


def _version(python: str) -> str | None:
    return _quiet([python, "-c", "import platform; print(platform.python_version())"])


def _quiet(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run(command: list[str]) -> None:
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        _stop(f"this step failed (exit {code}): {' '.join(command)}", code=1)


def _fingerprint(python: str) -> str:
    digest = hashlib.sha256(f"{ROOT}|{_version(python)}".encode())
    for path in [
        ROOT / "constraints.txt",
        *sorted(ROOT.glob("pyproject.toml")),
        *sorted(ROOT.glob("*/pyproject.toml")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(stamp: Path) -> dict[str, object]:
    try:
        content = json.loads(stamp.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


class _alone:  # noqa: N801 - reads as the statement it makes: `with _alone(…)`
    """Keeps two set-ups of one environment apart."""

    def __init__(self, venv: Path) -> None:
        self._path = venv.with_name(venv.name + ".lock")

    def __enter__(self) -> None:
        self._file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _stop(message: str, *, code: int = EXIT_CONFIG) -> None:
    print(f"set-up stopped: {message}", file=sys.stderr)
    raise SystemExit(code)


if __name__ == "__main__":
    raise SystemExit(main())
