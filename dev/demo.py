"""A job on this machine alone: a fake CRM → its tap → target-crmdb → embedded Postgres, then a delta.

`demo.py [hubspot|salesforce]` runs it; `demo.py psql [-c SQL]` looks at what it left. Everything is in `output/demo`.
Refuses any database but its own, so that fake data never meets real data.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
DEMO = ROOT / "output" / "demo"
REAL_DATABASE = ("TARGET_CRMDB_HOST", "TARGET_CRMDB_SQLALCHEMY_URL")
EXIT_CONFIG = 78


@dataclass(frozen=True)
class Show:
    """What is shown of one CRM: `world` fills the fake, `edits` are made in it."""

    crm: str
    name: str
    world: tuple[str, ...]
    edits: tuple[tuple[str, ...], ...]
    url_setting: str
    settings: Mapping[str, str]

    @property
    def job(self) -> tuple[str, ...]:
        """The arguments of meltano."""
        return ("--environment=demo", "run", f"tap-{self.crm}", "target-crmdb")


SHOWS = {
    "hubspot": Show(
        "hubspot",
        "HubSpot",
        world=("--seed", "7", "--contacts", "2000", "--companies", "400", "--deals", "600", "--tickets", "200"),
        edits=(("--contacts", "40", "--deals", "25", "--create", "10", "--archive", "5", "--of", "deals"),),
        url_setting="TAP_HUBSPOT_API_URL",
        settings={"TAP_HUBSPOT_ACCESS_TOKEN": "test-token"},
    ),
    "salesforce": Show(
        "salesforce",
        "Salesforce",
        world=("--seed", "7", "--object", "Account=400", "--object", "Contact=2000", "--object", "Opportunity=600"),
        edits=(
            ("--change", "40", "--of", "Contact"),
            ("--change", "25", "--create", "10", "--archive", "5", "--of", "Opportunity"),
        ),
        url_setting="TAP_SALESFORCE_LOGIN_URL",
        settings={
            "TAP_SALESFORCE_CLIENT_ID": "fake-client-id",
            "TAP_SALESFORCE_CLIENT_SECRET": "fake-client-secret",
            "TAP_SALESFORCE_CACHE_DIR": "none",
        },
    ),
}


def main(arguments: list[str]) -> int:
    """Run the demo of a CRM (HubSpot's without a name), or with `psql` open its database."""
    if arguments[:1] == ["psql"]:
        return subprocess.run([BIN / "crmdb", "psql", *arguments[1:]], env=_environment(), check=False).returncode
    show = SHOWS[arguments[0] if arguments else "hubspot"]
    _refuse_real_database()
    started = time.monotonic()
    _start_afresh()
    with _fake(show) as url:
        env = _environment(show, url)
        _say(f"First sync: everything that the fake {show.name} holds")
        _sync(show, env, "first-sync.log")
        _say("Somebody works in the CRM: edits, new records, archived ones; then an hour goes by")
        for edits in show.edits:
            _call("fake-crm", "edit", "--url", url, *edits)
        _call("fake-crm", "clock", "--url", url, "--advance", "3600")
        _say("Second sync: only what changed since (the delta)")
        _sync(show, env, "second-sync.log")
    _show(env)
    print(
        f"\nDone in {time.monotonic() - started:.0f} s. Tidy up with: make clean. Logs: output/demo/*.log. Look round:"
    )
    print("  make psql")
    return 0


def _environment(show: Show | None = None, url: str = "") -> dict[str, str]:
    """What the demo's plugins get; it beats a user's `.env`, so no real token or account is touched."""
    return {
        **os.environ,
        "MELTANO_SYS_DIR_ROOT": str(DEMO / "meltano"),
        "MELTANO_CLI_LOG_LEVEL": "info",
        "NO_COLOR": "1",
        **({} if show is None else {show.url_setting: url, **show.settings}),
        "TARGET_CRMDB_EMBEDDED": "true",
        "TARGET_CRMDB_EMBEDDED_DATA_DIR": str(DEMO / "pgdata"),
        "TARGET_CRMDB_DEFAULT_TARGET_SCHEMA": "hubspot" if show is None else show.crm,
        **({"MELTANO_VENV_BACKEND": "virtualenv"} if _set_up_by_pip() else {}),
    }


def _set_up_by_pip() -> bool:
    """Where uv could not reach a package index, Meltano's uv backend cannot either."""
    stamp = ROOT / ".venv" / "crmdb-setup.json"
    return stamp.exists() and '"installer": "pip"' in stamp.read_text("utf-8")


def _refuse_real_database() -> None:
    dotenv = ROOT / ".env"
    lines = dotenv.read_text("utf-8").splitlines() if dotenv.exists() else []
    named = {line.split("=", 1)[0].removeprefix("export ").strip() for line in lines} | set(os.environ)
    if found := sorted(named & set(REAL_DATABASE)):
        print(
            f"The demo loads made-up data and uses only its own embedded Postgres, but {', '.join(found)} is set "
            "(environment or .env). Unset it for the demo; nothing was started.",
            file=sys.stderr,
        )
        raise SystemExit(EXIT_CONFIG)


def _start_afresh() -> None:
    """Drop an earlier demo's rows and state; its plugin environments may stay."""
    if (DEMO / "pgdata").exists():
        _call("crmdb", "embedded", "remove", str(DEMO / "pgdata"))
    for left in [*DEMO.glob("*.log"), *DEMO.glob("meltano/meltano.db*"), DEMO / "fake-url"]:
        left.unlink(missing_ok=True)
    shutil.rmtree(DEMO / "meltano" / "run", ignore_errors=True)
    DEMO.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _fake(show: Show) -> Iterator[str]:
    address = DEMO / "fake-url"
    with _log_of(show).open("wb") as log:
        serve: list[str | Path] = [BIN / "fake-crm", "serve", show.crm, "--port", "0", "--url-file", address]
        process = subprocess.Popen([*serve, *show.world], stdout=log, stderr=log)
        try:
            yield _wait_for(show, address, process)
        finally:
            process.terminate()
            process.wait(10)


def _log_of(show: Show) -> Path:
    return DEMO / f"fake-{show.crm}.log"


def _wait_for(show: Show, address: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        if address.exists() and (url := address.read_text("utf-8").strip()):
            return url
        if process.poll() is not None:
            break
        time.sleep(0.1)
    _stop(f"the fake {show.name} did not start", _log_of(show))
    raise AssertionError


def _sync(show: Show, env: dict[str, str], log_name: str) -> None:
    started = time.monotonic()
    log = DEMO / log_name
    print(f"$ meltano {' '.join(show.job)}", flush=True)
    with log.open("wb") as out:
        command: list[str | Path] = [BIN / "meltano", *show.job]
        code = subprocess.run(command, env=env, cwd=ROOT, stdout=out, stderr=out, check=False).returncode
    if code:
        _stop(f"meltano ended with exit code {code}", log)
    print(f"  ok, {time.monotonic() - started:.0f} s (log: output/demo/{log_name})")
    for line in log.read_text("utf-8", errors="replace").splitlines():
        if " embedded Postgres " in line:
            print(f"  {line[line.index('embedded Postgres') :].partition(';')[0]}")


def _show(env: dict[str, str]) -> None:
    _say("What each run did (crmdb history)")
    _call("crmdb", "history", env=env)
    _say("What landed: deals by CRM and stage, from the model's view over all CRMs")
    _call(
        "crmdb",
        "sql",
        "SELECT crm_source, stage_id, count(*) AS deals, sum(amount) AS amount, count(deleted_at) AS archived"
        " FROM crm.deals GROUP BY crm_source, stage_id ORDER BY crm_source, stage_id",
        env=env,
    )


def _call(command: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    subprocess.run([BIN / command, *arguments], check=True, env=env or _environment(), cwd=ROOT)


def _say(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _stop(message: str, log: Path) -> None:
    tail = log.read_text("utf-8", errors="replace").splitlines()[-25:] if log.exists() else []
    print(
        "\n".join([*tail, f"The demo stopped: {message}. The whole log: {log.relative_to(ROOT)}"]),
        file=sys.stderr,
    )
    raise SystemExit(1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
