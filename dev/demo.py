"""The main job on this machine alone: fake HubSpot → tap-hubspot → target-crmdb → embedded Postgres, then a delta.

`demo.py` runs it; `demo.py psql [-c SQL]` looks at what it left. Everything is in `output/demo`.
Refuses any database but its own, so that fake data never meets real data.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
DEMO = ROOT / "output" / "demo"
WORLD = ("--seed", "7", "--contacts", "2000", "--companies", "400", "--deals", "600", "--tickets", "200")
EDITS = ("--contacts", "40", "--deals", "25", "--create", "10", "--archive", "5", "--of", "deals")
JOB = ("--environment=demo", "run", "tap-hubspot", "target-crmdb")
REAL_DATABASE = ("TARGET_CRMDB_HOST", "TARGET_CRMDB_SQLALCHEMY_URL")
EXIT_CONFIG = 78


def main(arguments: list[str]) -> int:
    """Run the demo, or with `psql` open its database."""
    if arguments[:1] == ["psql"]:
        return subprocess.run([BIN / "crmdb", "psql", *arguments[1:]], env=_environment(), check=False).returncode
    _refuse_real_database()
    started = time.monotonic()
    _start_afresh()
    with _fake_hubspot() as url:
        env = _environment(url)
        _say("First sync: everything that the fake HubSpot holds")
        _sync(env, "first-sync.log")
        _say("Somebody works in the CRM: edits, new records, archived ones; then an hour goes by")
        _call("fake-crm", "edit", "--url", url, *EDITS)
        _call("fake-crm", "clock", "--url", url, "--advance", "3600")
        _say("Second sync: only what changed since (the delta)")
        _sync(env, "second-sync.log")
    _show(env)
    print(
        f"\nDone in {time.monotonic() - started:.0f} s. Tidy up with: make clean. Logs: output/demo/*.log. Look round:"
    )
    print("  make psql")
    return 0


def _environment(url: str = "") -> dict[str, str]:
    """What the demo's plugins get; it beats a user's `.env`, so no real token or portal is touched."""
    return {
        **os.environ,
        "MELTANO_SYS_DIR_ROOT": str(DEMO / "meltano"),
        "MELTANO_CLI_LOG_LEVEL": "info",
        "NO_COLOR": "1",
        "TAP_HUBSPOT_API_URL": url,
        "TAP_HUBSPOT_ACCESS_TOKEN": "test-token",
        "TARGET_CRMDB_EMBEDDED": "true",
        "TARGET_CRMDB_EMBEDDED_DATA_DIR": str(DEMO / "pgdata"),
        "TARGET_CRMDB_DEFAULT_TARGET_SCHEMA": "hubspot",
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
def _fake_hubspot() -> Iterator[str]:
    address = DEMO / "fake-url"
    with (DEMO / "fake-hubspot.log").open("wb") as log:
        command: list[str | Path] = [BIN / "fake-crm", "serve", "--port", "0", "--url-file", address, *WORLD]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield _wait_for(address, process)
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(address: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        if address.exists() and (url := address.read_text("utf-8").strip()):
            return url
        if process.poll() is not None:
            break
        time.sleep(0.1)
    _stop("the fake HubSpot did not start", DEMO / "fake-hubspot.log")
    raise AssertionError


def _sync(env: dict[str, str], log_name: str) -> None:
    started = time.monotonic()
    log = DEMO / log_name
    print(f"$ meltano {' '.join(JOB)}", flush=True)
    with log.open("wb") as out:
        code = subprocess.run(
            [BIN / "meltano", *JOB], env=env, cwd=ROOT, stdout=out, stderr=out, check=False
        ).returncode
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
