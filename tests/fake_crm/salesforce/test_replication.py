"""getUpdated, getDeleted, and transactions that stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce

START, END = "2026-11-01T11:00:00Z", "2026-11-01T13:00:00Z"


@pytest.fixture
def client(bare: FakeSalesforce, client_of: Callable[..., Any]) -> Any:
    return client_of(bare)


def updated(client: Any, name: str = "Account", start: str = START, end: str = END) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/sobjects/{name}/updated/", start=start, end=end).json()
    return answer


def deleted(client: Any, name: str = "Account", start: str = START, end: str = END) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/sobjects/{name}/deleted/", start=start, end=end).json()
    return answer


def test_what_was_made_or_changed(bare: FakeSalesforce, client: Any) -> None:
    old = bare.org.create("Account", {"Name": "old"})
    bare.clock.advance(600)
    new = bare.org.create("Account", {"Name": "new"})
    bare.clock.advance(600)
    assert [old, new] == updated(client)["ids"]
    assert [new] == updated(client, start="2026-11-01T12:10:59Z")["ids"]  # seconds are ignored
    assert [old] == updated(client, end="2026-11-01T12:10:00Z")["ids"]
    bare.org.delete("Account", new)
    assert [old] == updated(client)["ids"]


def test_covered_until_now_or_the_end(bare: FakeSalesforce, client: Any) -> None:
    bare.clock.advance(90)
    assert "2026-11-01T12:01:00.000+0000" == updated(client)["latestDateCovered"]
    assert "2026-11-01T11:30:00.000+0000" == updated(client, end="2026-11-01T11:30:00Z")["latestDateCovered"]


def test_an_open_transaction_holds_back_what_is_covered(bare: FakeSalesforce, client: Any) -> None:
    bare.clock.advance(61)
    transaction = bare.org.transaction()
    late = transaction.create("Account", {"Name": "late"})
    bare.clock.advance(600)
    prompt = bare.org.create("Account", {"Name": "prompt"})
    before = updated(client)
    assert ([prompt], "2026-11-01T12:01:00.000+0000") == (before["ids"], before["latestDateCovered"])
    assert [prompt] == client.ids("SELECT Id FROM Account")
    assert before["latestDateCovered"] == deleted(client)["latestDateCovered"]
    transaction.commit()
    (row,) = client.rows(f"SELECT SystemModstamp FROM Account WHERE Id = '{late}'")
    assert "2026-11-01T12:01:01.000+0000" == row["SystemModstamp"]  # older than what was read before
    assert {late, prompt} == set(updated(client)["ids"])
    assert "2026-11-01T12:11:00.000+0000" == updated(client)["latestDateCovered"]


def test_the_orgs_own_edits_belong_to_the_block_around_them(bare: FakeSalesforce, client: Any) -> None:
    key = bare.org.create("Account", {"Name": "a"})
    with bare.org.transaction():
        bare.org.update("Account", key, {"Name": "b"})
        bare.org.delete("Account", bare.org.create("Account", {"Name": "short-lived"}))
        assert ["a"] == [row["Name"] for row in client.rows("SELECT Name FROM Account", "/queryAll")]
        assert [] == deleted(client)["deletedRecords"]
    assert {"b", "short-lived"} == {row["Name"] for row in client.rows("SELECT Name FROM Account", "/queryAll")}
    assert 1 == len(deleted(client)["deletedRecords"])


def test_a_rolled_back_transaction_leaves_nothing(bare: FakeSalesforce, client: Any) -> None:
    transaction = bare.org.transaction()
    transaction.create("Account", {"Name": "a"})
    transaction.roll_back()
    with pytest.raises(ValueError, match="no record"), bare.org.transaction() as opened:
        opened.purge("Account", opened.create("Account", {"Name": "b"})[:-3] + "xyz")
    assert [] == client.rows("SELECT Id FROM Account", "/queryAll")
    assert bare.org.oldest_open is None


def test_two_transactions_cannot_write_one_record(bare: FakeSalesforce) -> None:
    key = bare.org.create("Account", {"Name": "a"})
    first, second = bare.org.transaction(), bare.org.transaction()
    first.update("Account", key, {"Name": "b"})
    for writer in (second, bare.org):
        with pytest.raises(ValueError, match="UNABLE_TO_LOCK_ROW"):
            writer.update("Account", key, {"Name": "c"})
    first.commit()
    second.update("Account", key, {"Name": "c"})
    second.commit()
    assert ["c"] == [row["Name"] for row in bare.org.records("Account")]


def test_every_way_of_going_is_told(bare: FakeSalesforce, client: Any) -> None:
    keys = [bare.org.create("Account", {"Name": str(at)}) for at in range(5)]
    bare.clock.advance(60)
    bare.org.delete("Account", keys[0])
    bare.org.purge("Account", keys[1])
    bare.org.merge("Account", keys[2], [keys[3]])
    bare.org.delete("Account", keys[4])
    bare.org.undelete("Account", keys[4])
    found = deleted(client)
    assert {keys[0], keys[1], keys[3]} == {each["id"] for each in found["deletedRecords"]}
    assert {"2026-11-01T12:01:00.000+0000"} == {each["deletedDate"] for each in found["deletedRecords"]}
    assert "2026-10-17T12:01:00.000+0000" == found["earliestDateAvailable"]
    (lost,) = client.rows(f"SELECT MasterRecordId, IsDeleted FROM Account WHERE Id = '{keys[3]}'", "/queryAll")
    assert (keys[2], True) == (lost["MasterRecordId"], lost["IsDeleted"])


@pytest.mark.parametrize(
    ("path", "start", "end", "code"),
    [
        ("Account/updated", "2026-11-01T12:00:00Z", "2026-11-01T12:00:59Z", "INVALID_REPLICATION_DATE"),
        ("Account/updated", "2026-10-01T12:00:00Z", "2026-11-01T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("Account/deleted", "2026-10-16T12:00:00Z", "2026-11-01T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("LoginHistory/updated", START, END, "INVALID_TYPE_FOR_OPERATION"),
        ("Account/updated", "yesterday", END, "MALFORMED_QUERY"),
    ],
)
def test_a_wrong_window_is_refused(client: Any, path: str, start: str, end: str, code: str) -> None:
    response = client.get(f"/sobjects/{path}/", start=start, end=end)
    assert (400, code) == (response.status_code, response.json()[0]["errorCode"])
