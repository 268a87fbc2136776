"""Three CRMs in one database: one question over the deals of all, and a person who is in each of them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from fake_crm import FakeCrm, FakePipedrive, FakeSalesforce
from tests.end_to_end.conftest import BIN, clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLOCK = "2026-10-01T08:00:00Z"


def sync(folder: Path, database: Any, crm: str, settings: Mapping[str, Any]) -> None:
    """Pipe a tap, all streams that it discovers, into the target."""
    tap, target = folder / f"{crm}.json", folder / "target.json"
    for path in (tap, target):
        path.touch(mode=0o600)
    tap.write_text(json.dumps(settings), "utf-8")
    target.write_text(
        json.dumps({"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": crm, "source": crm}), "utf-8"
    )
    env = clean_environment()
    with subprocess.Popen([BIN / f"tap-{crm}", "--config", tap], stdout=subprocess.PIPE, env=env) as reading:
        loaded = subprocess.run([BIN / "target-crmdb", "--config", target], stdin=reading.stdout, env=env, check=False)
    assert (0, 0) == (reading.returncode, loaded.returncode)


def test_three_crms_are_one_model(tmp_path: Path, database: Any) -> None:
    with FakeCrm(seed=7, contacts=20, companies=5, deals=30, clock=CLOCK) as fake:
        fake.hubspot.create("contacts", {"email": "ada@Example.com", "phone": "(212) 321-9675", "lastname": "L"})
        fake.clock.advance(3600)
        sync(tmp_path, database, "hubspot", {"access_token": "test-token", "api_url": fake.url})
    with FakeSalesforce(sizes={"Account": 5, "Contact": 20, "Opportunity": 30}, clock=CLOCK) as org:
        org.org.create("Contact", {"Email": "ada@example.com", "Phone": "+1 212-321-9675", "LastName": "L"})
        org.clock.advance(3600)
        signed = {"login_url": org.url, "client_id": org.client_id, "client_secret": org.client_secret}
        streams = ["Account", "Contact", "Opportunity"]
        sync(tmp_path, database, "salesforce", {**signed, "cache_dir": "none", "streams": streams})
    with FakePipedrive(seed=11, sizes={"deals": 30, "persons": 20, "organizations": 5}, clock=CLOCK) as pipe:
        pipe.pipedrive.create(
            "persons",
            name="Ada",
            emails=[{"value": "ada@EXAMPLE.com", "primary": True, "label": "work"}],
            phones=[{"value": "212.321.9675", "primary": True, "label": "work"}],
        )
        pipe.clock.advance(3600)
        sync(tmp_path, database, "pipedrive", {"api_token": pipe.token, "api_url": pipe.url})

    deals = database.query(
        "SELECT d.crm_source, coalesce(s.name, d.stage_id), count(*)::int FROM crm.deals d"
        " LEFT JOIN crm.stages s USING (crm_source, stage_id) WHERE d.deleted_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert {"hubspot", "pipedrive", "salesforce"} == {source for source, _, _ in deals}
    assert all(stage for _, stage, _ in deals)
    assert {"hubspot": 30, "salesforce": 30, "pipedrive": 30} == {
        source: sum(number for other, _, number in deals if other == source) for source, _, _ in deals
    }
    people = "SELECT crm_source, email, phone FROM crm.contacts WHERE email = 'ada@example.com' ORDER BY 1"
    assert [
        (source, "ada@example.com", "+12123219675") for source in ("hubspot", "pipedrive", "salesforce")
    ] == database.query(people)
