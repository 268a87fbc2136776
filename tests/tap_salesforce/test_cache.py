"""Descriptions on disk: private, bounded in age, and never a reason to fail."""

from __future__ import annotations

import sqlite3
import stat
import time
from typing import TYPE_CHECKING

import pytest

from tap_salesforce.cache import Cache, Kept, folder_of

if TYPE_CHECKING:
    from pathlib import Path

PATH = "/services/data/v68.0/sobjects/Account/describe"
KEPT = Kept("Thu, 26 Nov 2026 04:00:00 GMT", {"name": "Account", "fields": [{"name": "Id", "precision": 0}]})


def test_what_is_kept_is_found_by_another_run(tmp_path: Path) -> None:
    Cache(tmp_path / "deep" / "down", "org").keep({PATH: KEPT})
    assert {PATH: KEPT} == Cache(tmp_path / "deep" / "down", "org").find([PATH, "/other"])
    assert {} == Cache(tmp_path / "deep" / "down", "another org").find([PATH])


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Cache(folder, "org").keep({PATH: KEPT})
    (file,) = folder.iterdir()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


def test_a_week_is_the_most_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path, "org")
    cache.keep({PATH: KEPT})
    now = time.time()
    monkeypatch.setattr("tap_salesforce.cache.time.time", lambda: now + 6 * 86400)
    assert {PATH: KEPT} == cache.find([PATH])
    monkeypatch.setattr("tap_salesforce.cache.time.time", lambda: now + 8 * 86400)
    assert {} == cache.find([PATH])


def test_thousands_of_paths_are_found_at_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "org")
    many = {f"/sobjects/X{number}__c/describe": Kept("today", {"name": number}) for number in range(1300)}
    cache.keep(many)
    assert many == cache.find(many)


@pytest.mark.parametrize("damage", ["no database", "no folder"])
def test_a_cache_that_cannot_be_used_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    folder = tmp_path / "cache"
    if damage == "no folder":
        folder.write_text("a file")
    else:
        Cache(folder, "org").keep({PATH: KEPT})
        next(folder.iterdir()).write_bytes(b"no database at all, but long enough to look like one" * 40)
    cache = Cache(folder, "org")
    assert {} == cache.find([PATH])
    cache.keep({PATH: KEPT})
    assert 1 == len([record for record in caplog.records if "cannot be used" in record.getMessage()])


def test_a_damaged_entry_is_none(tmp_path: Path) -> None:
    Cache(tmp_path, "org").keep({PATH: KEPT, "/other": KEPT})
    with sqlite3.connect(next(tmp_path.iterdir())) as database:
        database.execute("UPDATE kept SET body = ? WHERE path = ?", (b"xx", PATH))
    database.close()
    assert ["/other"] == list(Cache(tmp_path, "org").find([PATH, "/other"]))


def test_nowhere_is_a_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder_of("none") is None
    assert tmp_path / "tap-salesforce" == folder_of(None)
    assert "/elsewhere" == str(folder_of("/elsewhere"))
    nowhere = Cache(None, "org")
    nowhere.keep({PATH: KEPT})
    assert {} == nowhere.find([PATH])
