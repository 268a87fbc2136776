"""The real `meltano`, run in this project or in one made for the test, with nothing of a developer's own state."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Meltano:
    """A Meltano project and the environment variables that its runs get."""

    project: Path
    env: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start `meltano …`; its output is read by the caller."""
        return subprocess.Popen(
            [BIN / "meltano", *arguments],
            cwd=self.project,
            env={**clean_environment(), **self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, expect: int = 0, **env: str) -> str:
        """Run `meltano …` to its end, check its exit code, return what it printed."""
        process = self.start(*arguments, **env)
        output, _ = process.communicate(timeout=280)
        assert process.returncode == expect, output[-6000:]
        return output


def clean_environment() -> dict[str, str]:
    """This process's environment without settings that a developer may have exported."""
    ours = ("MELTANO_", "TAP_", "TARGET_", "CRMDB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def plugins_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this session's plugins are installed: apart from the project's own `.meltano`."""
    return tmp_path_factory.mktemp("meltano")


@pytest.fixture
def meltano(plugins_home: Path, tmp_path: Path) -> Meltano:
    """This project, with state of its own."""
    env = {
        "MELTANO_SYS_DIR_ROOT": str(plugins_home),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_ENVIRONMENT": "prod",
    }
    return Meltano(ROOT, env)
