"""C02 of the fault catalogue over the whole line: no secret and no personal value in any log, at any level."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import TYPE_CHECKING, Any

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import Meltano

TOKEN = 'tok/en+canary="41"'
PASSWORD = "p@ss/word canary?42"
EMAIL = "canary.person@example.com"
PHONE = "+1 415 555 0143"


def forms_of(secret: str) -> Iterator[str]:
    """A secret as a log might show it."""
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.quote_plus(secret)
    yield base64.b64encode(secret.encode()).decode()
    yield json.dumps(secret)[1:-1]


def everything_written(output: str, *folders: Path) -> str:
    """What a run printed, and every log file that it left."""
    files = [path for folder in folders for path in folder.rglob("*.log") if path.is_file()]
    text = "\n".join([output, *(path.read_text("utf-8", errors="replace") for path in files)])
    # at its debug level Meltano itself echoes the Singer messages between the plugins; docs/privacy.md warns of it
    return "\n".join(line for line in text.splitlines() if '{"type":"RECORD"' not in line)


def test_no_secret_and_no_person_in_any_log_at_debug_level(
    job: Callable[[FakeCrm], Meltano], database: Any, plugins_home: Path
) -> None:
    with FakeCrm(seed=2, contacts=20, companies=2, deals=2, tickets=2, tokens=(TOKEN,)) as crm:
        crm.hubspot.create("contacts", {"email": EMAIL, "phone": PHONE, "num_employees": "not a number"})
        meltano = job(crm)
        head, _, rest = database.sqlalchemy_url.partition("@")
        user = head.partition("://")[2].partition(":")[0]
        scheme = head.partition("://")[0]
        meltano.env["TARGET_CRMDB_SQLALCHEMY_URL"] = f"{scheme}://{user}:{urllib.parse.quote(PASSWORD, safe='')}@{rest}"
        meltano.env["TAP_HUBSPOT_DEBUG"] = "true"
        output = meltano.run("--log-level=debug", "run", "tap-hubspot", "target-crmdb")
        database.query("SELECT count(*) FROM hubspot.contacts")
    written = everything_written(output, plugins_home)
    found = [secret for secret in (TOKEN, PASSWORD, EMAIL, PHONE) if any(form in written for form in forms_of(secret))]
    assert found == []


def test_a_failing_run_does_not_show_them_either(job: Callable[[FakeCrm], Meltano], plugins_home: Path) -> None:
    with FakeCrm(seed=2, contacts=5, companies=0, deals=0, tickets=0, tokens=("another",)) as crm:
        meltano = job(crm)
        meltano.env["TAP_HUBSPOT_ACCESS_TOKEN"] = TOKEN
        output = meltano.run("--log-level=debug", "run", "tap-hubspot", "target-crmdb", expect=1)
    written = everything_written(output, plugins_home)
    assert "401" in written
    assert [form for form in forms_of(TOKEN) if form in written] == []
