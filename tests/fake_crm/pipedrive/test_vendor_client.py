"""The vendor's own client for Node understands the fake; where Node is not, its recorded shapes still do."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from fake_crm.pipedrive.routing import find

if TYPE_CHECKING:
    from fake_crm import FakePipedrive

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CLIENT = "pipedrive@33.7.0"
SHAPES: dict[str, dict[str, Any]] = json.loads((HERE / "vendor_shapes.json").read_text("utf-8"))
ASKED = {
    "/api/v2/deals/products": "deal_ids=1,2,3",
    "/api/v2/deals/installments": "deal_ids=1,6",
    "/api/v2/phases": "board_id=1",
    "/v1/mailbox/mailThreads": "folder=inbox",
}
# what the vendor shows only for some rows: optional fields, contact sync, what is joined for people's eyes
SOMETIMES = {
    "/api/v2/deals": {"source_lead_id"},
    "/api/v2/deals/archived": {"source_lead_id"},
    "/api/v2/organizations": {"org_id"},
    "/api/v2/persons": {"birthday", "im", "job_title", "notes", "postal_address"},
    "/api/v2/dealFields": {"important_fields", "required_fields", "ui_visibility"},
    "/v1/notes": {"deal", "organization", "person", "project"},
    "/v1/files": {"deal_name", "lead_name", "org_name", "person_name", "product_name", "project_name"},
    "/v1/mailbox/mailThreads": {
        "all_messages_sent_flag",
        "first_message_to_me_flag",
        "has_inline_attachments_flag",
        "has_real_attachments_flag",
        "last_message_received_timestamp",
        "last_message_sent_timestamp",
        "mail_link_tracking_enabled_flag",
        "smart_bcc_flag",
        "synced_flag",
    },
    "/v1/mailbox/mailThreads/{id}/mailMessages": {
        "draft",
        "has_attachments_flag",
        "has_inline_attachments_flag",
        "has_real_attachments_flag",
        "mail_link_tracking_enabled_flag",
        "mail_tracking_status",
        "sent_from_pipedrive_flag",
        "smart_bcc_flag",
    },
}


@pytest.mark.parametrize("path", SHAPES)
def test_rows_have_the_fields_of_the_vendors_examples(fake_pipedrive: FakePipedrive, path: str) -> None:
    url = f"{fake_pipedrive.url}{path.replace('{id}', '1')}?{ASKED.get(path, '')}"
    answer = requests.get(url, headers={"x-api-token": fake_pipedrive.token}, timeout=10)
    row = answer.json()["data"][0]
    assert set() == set(SHAPES[path]["row"]) - row.keys() - SOMETIMES.get(path, set())


@pytest.mark.parametrize("path", SHAPES)
def test_calls_cost_what_the_vendor_says(path: str) -> None:
    assert SHAPES[path]["cost"] == find("GET", path.replace("{id}", "1"))[0].cost


@pytest.fixture(scope="session")
def client() -> Path:
    """A folder with the vendor's client, kept beside the environment; none without Node or a package index."""
    folder = ROOT / ".venv" / "npm-pipedrive"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not on this machine; the recorded shapes above are tested")
    if not (folder / "node_modules" / "pipedrive").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", CLIENT]
        if subprocess.run(command, capture_output=True, timeout=120, check=False).returncode:
            pytest.skip(f"npm could not install {CLIENT}; the recorded shapes above are tested")
    return folder


def test_the_vendors_client_reads_and_writes(fake_pipedrive: FakePipedrive, client: Path) -> None:
    crm, world, access = fake_pipedrive, fake_pipedrive.pipedrive, fake_pipedrive.access
    world.delete("deals", 3)
    deals = {row["id"]: row for row in world.rows("deals")}
    shutil.copy(HERE / "vendor_client.mjs", client)
    command = [crm.url, crm.token, access.client_id, access.client_secret, access.refresh_token]
    done = subprocess.run(
        ["node", "vendor_client.mjs", *command], cwd=client, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    here = sorted((row["update_time"], row["id"]) for row in deals.values() if not row["is_archived"])
    assert found["deals"] == [one for _, one in here]
    assert found["archived"] == [one for one, row in deals.items() if row["is_archived"]]
    within = {row["id"] for row in deals.values() if "2025-11-01" <= row["update_time"] < "2026-05-01"}
    assert set(found["since"]) == {one for one in within if not deals[one]["is_archived"] and one != 3}
    assert any(isinstance(value, dict) and "label" in value for value in found["labelled"].values())
    for name, table in {
        "persons": "persons",
        "organizations": "organizations",
        "activities": "activities",
        "catalogue": "products",
        "stages": "stages",
        "pipelines": "pipelines",
        "notes": "notes",
        "files": "files",
        "users": "users",
    }.items():
        assert found[name] == [row["id"] for row in world.live(table)], name
    assert found["fields"] == [*world.definitions.by_entity["deal"]]
    assert set(found["leads"]) == {row["id"] for row in world.rows("leads") if not row["is_archived"]}
    assert (found["me"], found["changed"], found["deleted"]) == ("fake", 13, found["made"])
    assert found["products"] == [1, 2, 3, 4]
    assert len(found["oauth"]) == 2
    assert (found["refused"], found["unauthorized"]) != (None, None)
