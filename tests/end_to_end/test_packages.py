"""What ships: the wheels, installed as a stranger would, and used in Meltano projects outside this tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fake_crm import FakeCrm, FakeSalesforce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
UV = str(Path(sys.executable).with_name("uv"))
CONTACTS = 30
LOADERS = {
    # the last release of target-jsonl (0.1.4, 2021) calls a setuptools module that setuptools 81 dropped
    "target-jsonl": "target-jsonl==0.1.4 setuptools<81",
    "target-postgres": f"-c {ROOT}/constraints.txt meltanolabs-target-postgres",
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All our wheels, in one folder."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--all-packages", "--out-dir", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Installs a distribution into a new environment, only our other wheels beside it; gives its `bin`."""

    def install(distribution: str) -> Path:
        venv = tmp_path_factory.mktemp(distribution.partition("[")[0])
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, "--clear", venv], check=True)
        python = venv / "bin" / "python"
        pip: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", python, "-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, "--find-links", wheels, distribution], check=True)
        return venv / "bin"

    return install


def output_of(*command: str | Path, cwd: Path, stdin: str = "") -> str:
    """Standard output of a command that must end with 0."""
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def messages(output: str, kind: str) -> list[dict[str, Any]]:
    """The Singer messages of one type."""
    return [message for message in map(json.loads, output.splitlines()) if message["type"] == kind]


@pytest.fixture(scope="module")
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=3, contacts=CONTACTS, companies=5, deals=8, tickets=4) as crm:
        yield crm


def test_each_wheel_works_alone(
    installed: Callable[[str], Path], crm: FakeCrm, embedded_dir: Path, tmp_path: Path
) -> None:
    tap = installed("crmdb-tap-hubspot") / "tap-hubspot"
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"access_token": crm.token, "api_url": crm.url}), "utf-8")
    assert json.loads(output_of(tap, "--about", "--format=json", cwd=tmp_path))["name"] == "tap-hubspot"
    catalog = json.loads(output_of(tap, "--config", config, "--discover", cwd=tmp_path))
    assert "contacts" in {stream["tap_stream_id"] for stream in catalog["streams"]}
    synced = output_of(tap, "--config", config, cwd=tmp_path)
    assert CONTACTS == sum(message["stream"] == "contacts" for message in messages(synced, "RECORD"))

    folder = installed("crmdb-target-crmdb[embedded]")
    target_config = tmp_path / "target.json"
    settings = {"embedded": True, "embedded_data_dir": str(embedded_dir), "default_target_schema": "hubspot"}
    target_config.write_text(json.dumps(settings), "utf-8")
    assert json.loads(output_of(folder / "target-crmdb", "--about", "--format=json", cwd=tmp_path))["name"]
    state = output_of(folder / "target-crmdb", "--config", target_config, cwd=tmp_path, stdin=synced)
    assert "contacts" in json.loads(state.splitlines()[-1])["bookmarks"]
    rows = output_of(
        folder / "crmdb",
        "--config",
        target_config,
        "sql",
        "SELECT count(*) FROM hubspot.contacts",
        cwd=tmp_path,
    )
    assert str(CONTACTS) in rows


def test_the_wheel_of_tap_salesforce_works_alone(installed: Callable[[str], Path], tmp_path: Path) -> None:
    tap = installed("crmdb-tap-salesforce") / "tap-salesforce"
    config = tmp_path / "config.json"
    with FakeSalesforce(sizes={"Contact": CONTACTS}) as fake:
        settings = {"login_url": fake.url, "client_id": fake.client_id, "client_secret": fake.client_secret}
        config.write_text(json.dumps({**settings, "cache_dir": "none", "streams": ["Contact"]}), "utf-8")
        assert json.loads(output_of(tap, "--about", "--format=json", cwd=tmp_path))["name"] == "tap-salesforce"
        synced = output_of(tap, "--config", config, cwd=tmp_path)
    assert CONTACTS == sum(message["stream"] == "Contact" for message in messages(synced, "RECORD"))


def outside_project(folder: Path, pip_url: str, loader: str, settings: dict[str, str]) -> Path:
    """A Meltano project of somebody else's, which knows our tap by its pip_url only."""
    tap = {
        "name": "tap-hubspot",
        "namespace": "tap_hubspot",
        "pip_url": pip_url,
        "executable": "tap-hubspot",
        "capabilities": ["catalog", "discover", "state"],
        "settings": [{"name": "access_token", "sensitive": True}, {"name": "api_url"}],
        "load_schema": "hubspot",
    }
    target = {
        "name": loader,
        "namespace": loader.replace("-", "_"),
        "pip_url": LOADERS[loader],
        "executable": loader,
        "settings": [{"name": name, "value": value} for name, value in settings.items()],
    }
    project = {
        "requires_meltano": ">=4.2,<5",
        "send_anonymous_usage_stats": False,
        "cli": {"disable_version_check": True},
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "plugins": {"extractors": [tap], "loaders": [target]},
    }
    folder.mkdir()
    (folder / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False), "utf-8")
    return folder


def meltano_run(project: Path, crm: FakeCrm, loader: str) -> None:
    """`meltano run tap-hubspot LOADER` in that project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}
    env = {**kept, "TAP_HUBSPOT_API_URL": crm.url, "TAP_HUBSPOT_ACCESS_TOKEN": crm.token}
    command: list[str | Path] = [Path(sys.executable).with_name("meltano"), "run", "tap-hubspot", loader]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def lines_of(folder: Path, stream: str) -> int:
    """How many records target-jsonl wrote of a stream."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in folder.glob(f"{stream}-*.jsonl"))


def test_another_project_runs_the_wheel_into_target_jsonl(wheels: Path, crm: FakeCrm, tmp_path: Path) -> None:
    pip_url = f"--find-links {wheels} -c {ROOT}/constraints.txt crmdb-tap-hubspot"
    (tmp_path / "out").mkdir()
    settings = {"destination_path": str(tmp_path / "out"), "do_timestamp_file": "false"}
    project = outside_project(tmp_path / "project", pip_url, "target-jsonl", settings)
    meltano_run(project, crm, "target-jsonl")
    assert CONTACTS == lines_of(tmp_path / "out", "contacts")


def test_another_project_runs_a_git_url_into_target_jsonl(crm: FakeCrm, tmp_path: Path) -> None:
    """The committed tree, as `git+https://…#subdirectory=` would give it."""
    repository = f"git+file://{ROOT}"
    pip_url = " ".join(f"{repository}#subdirectory={name}" for name in ("crmdb-core", "tap-hubspot"))
    (tmp_path / "out").mkdir()
    settings = {"destination_path": str(tmp_path / "out"), "do_timestamp_file": "false"}
    project = outside_project(tmp_path / "project", pip_url, "target-jsonl", settings)
    meltano_run(project, crm, "target-jsonl")
    assert CONTACTS == lines_of(tmp_path / "out", "contacts")


def test_another_project_runs_the_wheel_into_target_postgres(
    wheels: Path, crm: FakeCrm, database: Any, tmp_path: Path
) -> None:
    pip_url = f"--find-links {wheels} -c {ROOT}/constraints.txt crmdb-tap-hubspot"
    settings = {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": "hubspot"}
    project = outside_project(tmp_path / "project", pip_url, "target-postgres", settings)
    meltano_run(project, crm, "target-postgres")
    assert [(CONTACTS,)] == database.query("SELECT count(*) FROM hubspot.contacts")
