"""Environments of their own for contenders whose dependencies clash with ours, made when first needed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).resolve().parent.parent
_PEERS = Path(__file__).parent / "peers"


class CannotInstallError(Exception):
    """The environment is not to be had on this machine; the contender is left out."""


@dataclass(frozen=True)
class Environment:
    """The folder `.venv-bench-NAME`, installed from `bench/peers/NAME.txt`, and from a checkout where one is given."""

    name: str
    modules: tuple[str, ...]  # what must be importable, or it is no use
    packages: tuple[str, ...]  # whose versions the report shows
    checkout: Checkout | None = None

    def program(self, name: str) -> Path:
        """The path of one of its programs."""
        return self._folder / "bin" / name

    def prepare(self) -> None:
        """Make it, unless it is there as the pins want it; raises CannotInstallError."""
        stamp = self._folder / "bench-setup.txt"
        source = f"{self.checkout.commit()}\n" if self.checkout else ""
        wanted = f"Python {platform.python_version()}\n{source}{self._pins.read_text('utf-8')}"
        if stamp.exists() and stamp.read_text("utf-8") == wanted:
            return
        print(f"setting up {self._folder.name} …", flush=True)
        python, uv = str(self.program("python")), str(BIN / "uv")
        install = [uv, "pip", "install", "--quiet", "--python", python]
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(self._folder)])
        _run([*install, "-r", str(self._pins)])
        if self.checkout:
            with self.checkout.tree() as tree:
                _run([*install, "--no-deps", str(tree)])
        _run([python, "-I", "-c", f"import {', '.join(self.modules)}"])
        stamp.write_text(wanted, "utf-8")

    def versions(self) -> dict[str, str]:
        """What is installed there, of the packages to show."""
        places = [str(path) for path in self._folder.glob("lib/python*/site-packages")]
        found = {one.name: one.version for one in distributions(path=places)}
        return {name: found[name] for name in self.packages}

    @property
    def _folder(self) -> Path:
        return _ROOT / f".venv-bench-{self.name}"

    @property
    def _pins(self) -> Path:
        return _PEERS / f"{self.name}.txt"


@dataclass(frozen=True)
class Checkout:
    """Somebody's git repository on this machine, with a work tree or bare."""

    path: Path

    def commit(self) -> str:
        """The commit that is checked out."""
        return _run(["git", "-C", str(self.path), "rev-parse", "HEAD"]).strip()

    @contextmanager
    def tree(self) -> Iterator[Path]:
        """Give a copy of the files of that commit, deleted afterwards."""
        with tempfile.TemporaryDirectory(prefix="crmdb-bench-checkout-") as name:
            _run(["git", "clone", "--quiet", "--no-hardlinks", str(self.path), f"{name}/tree"])
            yield Path(name, "tree")


def _run(command: Sequence[str]) -> str:
    # its version comes from git tags, which a snapshot may lack
    environment = {**os.environ, "POETRY_DYNAMIC_VERSIONING_BYPASS": "0.0.0"}
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise CannotInstallError(str(error)) from error
    if done.returncode:
        raise CannotInstallError((done.stderr.strip().splitlines() or ["no reason given"])[-1].strip())
    return done.stdout


PIPELINEWISE = Environment(
    "pipelinewise", ("target_postgres", "psycopg2"), ("pipelinewise-target-postgres", "psycopg2-binary")
)
DLT = Environment(
    "dlt", ("dlt", "adbc_driver_postgresql", "pyarrow.json"), ("dlt", "adbc-driver-postgresql", "pyarrow")
)
SINGER_HUBSPOT = Environment("singer-hubspot", ("tap_hubspot",), ("tap-hubspot", "singer-python"))


def meltanolabs_hubspot(checkout: Path) -> Environment:
    """MeltanoLabs' tap is on no index under a name of its own: it comes from a checkout."""
    return Environment("meltanolabs-hubspot", ("tap_hubspot.tap",), ("singer-sdk",), Checkout(checkout))


SINGER_SALESFORCE = Environment("singer-salesforce", ("tap_salesforce.sync",), ("tap-salesforce", "singer-python"))


def meltanolabs_salesforce(checkout: Path) -> Environment:
    """MeltanoLabs' tap-salesforce is on no index either."""
    modules, packages = ("tap_salesforce.sync",), ("tap-salesforce", "singer-python")
    return Environment("meltanolabs-salesforce", modules, packages, Checkout(checkout))
