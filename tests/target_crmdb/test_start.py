"""A start of the target imports little, and what it left out is there when it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Singer


def test_a_start_leaves_out_what_only_taps_need() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "target_crmdb", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "target_crmdb.sink" in imported
    assert not imported & {"fsspec", "joblib.parallel", "requests.sessions", "urllib3.connectionpool", "yaml.loader"}


def test_a_load_without_a_mapping_imports_nothing_of_mappings(load: Loader, singer: Singer, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**load.config, "source": "nothing_known"}))
    lines = "".join(json.dumps(one) + "\n" for one in (singer.schema(), singer.record({"id": "a"})))
    command = [sys.executable, "-X", "importtime", "-m", "target_crmdb", "--config", str(config)]
    ended = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if "import time:" in line}
    assert "target_crmdb.sink" in imported
    assert not imported & {
        *("email_validator", "phonenumbers", "pydantic_core", "yaml.loader", "target_crmdb.afterwards"),
        *("target_crmdb.mapping.reading", "target_crmdb.model.sources", "target_crmdb.quality"),
        *("target_crmdb.set_rules", "target_crmdb.validation.fields", "target_crmdb.validation.rules"),
    }
    assert [(1,)] == load.database.query("select count(*)::int from crm_test.contacts")


def test_batch_files_are_read_after_a_lean_start(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"id": 1}\n')
    url = json.dumps((tmp_path / "one.jsonl").as_uri())
    script = f"""
from crmdb_core.lean_imports import lean_imports
with lean_imports("requests", "upath", "urllib3"):
    from target_crmdb.batch_files import BatchMessage, read_records
print([*read_records(BatchMessage("things", "jsonl", None, [{url}]), {{}})])
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == """[b'{"id": 1}']"""
