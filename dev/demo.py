"""A job on this machine alone: fake CRMs → their taps → target-crmdb → one embedded Postgres.

`demo.py [CRM …]` runs it for these, or for all; the first is read again after edits, as a delta. `demo.py psql`
looks at what it left. Everything is in `output/demo`. Refuses any database but its own, so that fake data never meets
real data.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
DEMO = ROOT / "output" / "demo"
REAL_DATABASE = ("TARGET_CRMDB_HOST", "TARGET_CRMDB_SQLALCHEMY_URL")
EXIT_CONFIG = 78


# one person, as somebody typed her into each CRM
ADA = {"first": "Ada", "last": "Lovelace", "email": "Ada.Lovelace@Example.COM", "phone": "(415) 555-2671"}


@dataclass(frozen=True)
class Show:
    """What is shown of one CRM: `world` fills the fake, `person` is posted to it, `edits` are made in it."""

    crm: str
    name: str
    tap: str
    world: tuple[str, ...]
    url_setting: str
    settings: Mapping[str, str]
    person: tuple[str, Mapping[str, str], Any] | None = None  # path, headers, body
    edits: tuple[tuple[str, ...], ...] = ()

    @property
    def job(self) -> tuple[str, ...]:
        """The arguments of meltano."""
        return ("--environment=demo", "run", self.tap, "target-crmdb")


SHOWS = {
    "hubspot": Show(
        "hubspot",
        "HubSpot",
        "tap-hubspot",
        world=("--seed", "7", "--contacts", "2000", "--companies", "400", "--deals", "600", "--tickets", "200"),
        url_setting="TAP_HUBSPOT_API_URL",
        settings={"TAP_HUBSPOT_ACCESS_TOKEN": "test-token"},
        person=(
            "/crm/v3/objects/contacts",
            {"Authorization": "Bearer test-token"},
            {
                "properties": {
                    "firstname": ADA["first"],
                    "lastname": ADA["last"],
                    "email": ADA["email"],
                    "phone": ADA["phone"],
                }
            },
        ),
        edits=(("--contacts", "40", "--deals", "25", "--create", "10", "--archive", "5", "--of", "deals"),),
    ),
    "salesforce": Show(
        "salesforce",
        "Salesforce",
        "tap-salesforce",
        world=(
            *("--seed", "7", "--object", "Account=400", "--object", "Contact=2000", "--object", "Opportunity=600"),
            *("--token", "test-token"),
        ),
        url_setting="TAP_SALESFORCE_LOGIN_URL",
        settings={
            "TAP_SALESFORCE_CLIENT_ID": "fake-client-id",
            "TAP_SALESFORCE_CLIENT_SECRET": "fake-client-secret",
            "TAP_SALESFORCE_CACHE_DIR": "none",
        },
        person=(
            "/services/data/v67.0/sobjects/Contact",
            {"Authorization": "Bearer test-token"},
            {"FirstName": ADA["first"], "LastName": ADA["last"], "Email": ADA["email"], "Phone": "+1 415 555 2671"},
        ),
        edits=(
            ("--change", "40", "--of", "Contact"),
            ("--change", "25", "--create", "10", "--archive", "5", "--of", "Opportunity"),
        ),
    ),
    "pipedrive": Show(
        "pipedrive",
        "Pipedrive",
        "tap-pipedrive",
        world=("--seed", "7", "--size", "deals=600", "--size", "persons=1000", "--size", "organizations=200"),
        url_setting="TAP_PIPEDRIVE_API_URL",
        settings={"TAP_PIPEDRIVE_API_TOKEN": "test-token"},
        person=(
            "/api/v2/persons",
            {"x-api-token": "test-token"},
            {
                "name": f"{ADA['first']} {ADA['last']}",
                "emails": [{"value": ADA["email"].replace("COM", "com"), "primary": True, "label": "work"}],
                "phones": [{"value": "415.555.2671", "primary": True, "label": "work"}],
            },
        ),
        edits=(
            ("--change", "40", "--of", "persons"),
            ("--change", "25", "--create", "10", "--archive", "5", "--of", "deals"),
        ),
    ),
    "csv": Show(
        "github",
        "GitHub with two CSV files",
        "tap-csv-github",
        world=("--repository", f"acme/crm={DEMO / 'files'}"),
        url_setting="TAP_CSV_GITHUB_API_URL",
        settings={
            "TAP_CSV_GITHUB_AUTH_TOKEN": "test-token",
            "TAP_CSV_GITHUB_FILES": json.dumps(
                [
                    {
                        "repository": "acme/crm",
                        "path": f"{name}.csv",
                        "stream_name": name,
                        "key_properties": ["id"],
                    }
                    for name in ("contacts", "deals")
                ]
            ),
        },
    ),
}
FILES = {
    "contacts.csv": "id;email;phone;first_name;last_name\n"
    f"1;{ADA['email']};1-415-555-2671;{ADA['first']};{ADA['last']}\n"
    "2;grace.hopper@example.com;;Grace;Hopper\n",
    "deals.csv": "id;name;amount;currency;stage;contact_id\n"
    "1;Analytical engine;1200.50;GBP;won;1\n"
    "2;Compiler;800;USD;open;2\n",
}


def main(arguments: list[str]) -> int:
    """Run the demo of CRMs (of all without a name), or with `psql` open its database."""
    if arguments[:1] == ["psql"]:
        return subprocess.run([BIN / "crmdb", "psql", *arguments[1:]], env=_environment(), check=False).returncode
    names = arguments or list(SHOWS)
    _refuse_real_database()
    started = time.monotonic()
    _start_afresh()
    for name in names:
        _run(name, with_delta=name == names[0])
    _show(_environment())
    print(
        f"\nDone in {time.monotonic() - started:.0f} s. Tidy up with: make clean. Logs: output/demo/*.log. Look round:"
    )
    print("  make psql")
    return 0


def _run(name: str, *, with_delta: bool) -> None:
    show = SHOWS[name]
    with _fake(show) as url:
        env = _environment(name, url)
        if show.person:
            _post(url, *show.person)
        _say(f"{show.name}, first sync: everything that the fake holds")
        _sync(show, env, f"{name}-first-sync.log")
        if not (with_delta and show.edits):
            return
        _say("Somebody works in the CRM: edits, new records, archived ones; then an hour goes by")
        for edits in show.edits:
            _call("fake-crm", "edit", "--url", url, *edits)
        _call("fake-crm", "clock", "--url", url, "--advance", "3600")
        _say(f"{show.name}, second sync: only what changed since (the delta)")
        _sync(show, env, f"{name}-second-sync.log")


def _post(url: str, path: str, headers: Mapping[str, str], body: Any) -> None:
    """Enter a record as any client of the CRM's API does."""
    order = urllib.request.Request(  # noqa: S310 - the fake's address on this machine
        url.rstrip("/") + path,
        data=json.dumps(body).encode(),
        headers={**headers, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(order, timeout=30):  # noqa: S310 - as above
        pass


def _environment(name: str = "hubspot", url: str = "") -> dict[str, str]:
    """What the demo's plugins get; it beats a user's `.env`, so no real token or account is touched."""
    show = SHOWS[name]
    return {
        **os.environ,
        "MELTANO_SYS_DIR_ROOT": str(DEMO / "meltano"),
        "MELTANO_CLI_LOG_LEVEL": "info",
        "NO_COLOR": "1",
        **({show.url_setting: url, **show.settings} if url else {}),
        "TARGET_CRMDB_EMBEDDED": "true",
        "TARGET_CRMDB_EMBEDDED_DATA_DIR": str(DEMO / "pgdata"),
        "TARGET_CRMDB_DEFAULT_TARGET_SCHEMA": name,
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
    for left in [*DEMO.glob("*.log"), *DEMO.glob("meltano/meltano.db*")]:
        left.unlink(missing_ok=True)
    shutil.rmtree(DEMO / "meltano" / "run", ignore_errors=True)
    (DEMO / "files").mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (DEMO / "files" / name).write_text(text, "utf-8")


@contextlib.contextmanager
def _fake(show: Show) -> Iterator[str]:
    address = DEMO / "fake-url"
    address.unlink(missing_ok=True)
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
    _say("What each run did (crmdb history --totals; without it, stream by stream)")
    _call("crmdb", "history", "--totals", env=env)
    _say("Deals of all CRMs by source and stage, from the one model over them")
    _call(
        "crmdb",
        "sql",
        "SELECT crm_source, stage_id, count(*) AS deals, sum(amount) AS amount, count(deleted_at) AS archived"
        " FROM crm.deals GROUP BY crm_source, stage_id ORDER BY crm_source, stage_id",
        env=env,
    )
    _say("The same person in each CRM: as it was typed there, and the normal forms")
    _call(
        "crmdb",
        "sql",
        "SELECT crm_source, source_id, coalesce(source_row->>'email', source_row->'properties'->>'email',"
        " source_row->'emails'->0->>'value') AS typed, email, phone"
        " FROM crm.contacts WHERE email = 'Ada.Lovelace@example.com' ORDER BY crm_source",
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
