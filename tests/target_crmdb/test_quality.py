"""The score of a field is the share of its values that are valid, after each run that changed its table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Message, Singer

TEXT: Message = {"type": ["string", "null"]}
PROPERTIES = {"type": ["object", "null"], "properties": dict.fromkeys(("email", "phone", "lastname"), TEXT)}


@pytest.fixture
def contacts(load: Loader, singer: Singer) -> Callable[..., None]:
    """Loads contacts as tap-hubspot would: by their number, with an e-mail address each."""

    def run(emails: dict[int, str | None], **settings: Any) -> None:
        schema = singer.schema({"properties": PROPERTIES, "_sdc_deleted_at": singer.instant})
        del schema["schema"]["properties"]["at"]
        records = [
            {"id": str(n), "_sdc_deleted_at": None, "properties": {"email": one, "phone": None, "lastname": "L"}}
            for n, one in emails.items()
        ]
        load(
            schema,
            *map(singer.record, records),
            **{"source": "hubspot", "default_target_schema": "hubspot", **settings},
        )

    return run


def scores(crmdb: Any, *options: str) -> dict[str, dict[str, Any]]:
    done = crmdb("quality", "--json", *options)
    assert 0 == done.returncode, done.stderr
    return {row["field"]: row for row in json.loads(done.stdout)}


def test_seeded_defects_at_a_known_rate_give_that_score(contacts: Any, crmdb: Any) -> None:
    contacts({n: "nobody" if n % 10 == 0 else f"a{n}@example.com" for n in range(200)} | dict.fromkeys(range(200, 250)))
    found = scores(crmdb)
    assert (90, 20, 72) == tuple(found["email"][name] for name in ("score", "faulty", "percent_valid"))
    assert found["phone"]["score"] is None, "what is not there is neither good nor bad"
    assert (250, 72) == tuple(
        found["(records)"][name] for name in ("records", "score")
    )  # 50 have neither, 20 a bad one


def test_more_defects_never_raise_a_score(contacts: Any, crmdb: Any) -> None:
    before = 101.0
    for bad in (0, 1, 5, 9):
        contacts({n: "nobody" if n < bad else f"a{n}@example.com" for n in range(10)})
        score = scores(crmdb)["email"]["score"]
        assert score < before
        before = score


def test_scores_over_time(contacts: Any, crmdb: Any) -> None:
    contacts({1: "nobody", 2: "a@example.com"})
    contacts({1: "b@example.com"})
    assert (100, 50) == tuple(scores(crmdb, "--entity", "contacts")["email"][name] for name in ("score", "change"))
    done = crmdb("quality", "--runs", "5", "--json")
    assert [100, 50] == [row["score"] for row in json.loads(done.stdout) if row["field"] == "email"]


def test_a_run_that_changes_nothing_measures_nothing(load: Loader, contacts: Any) -> None:
    for _ in range(2):
        contacts({1: "nobody"})
    assert [(1,)] == load.database.query("select count(distinct run_id) from _crmdb.quality_scores")


def test_measuring_can_be_switched_off(load: Loader, contacts: Any) -> None:
    contacts({1: "nobody"}, measure_quality=False)
    assert [(0,)] == load.database.query("select count(*) from _crmdb.quality_scores")


def test_the_open_issues_by_rule(contacts: Any, crmdb: Any) -> None:
    contacts({1: "nobody", 2: "no one", 3: "a@example.com"})
    found = json.loads(crmdb("quality", "--issues", "--json", "--source", "hubspot").stdout)
    assert [("email", "invalid_email", 2, ["2", "1"]), (None, "contacts.no_email_or_phone", 2, ["2", "1"])] == [
        (row["field"], row["rule"], row["open"], row["keys"]) for row in found
    ]
    assert [] == json.loads(crmdb("quality", "--issues", "--json", "--source", "pipedrive").stdout)


def test_a_low_score_can_fail_a_pipeline(contacts: Any, crmdb: Any) -> None:
    contacts({1: "nobody", 2: "a@example.com"})
    assert 0 == crmdb("quality", "--fail-under", "50").returncode
    done = crmdb("quality", "--fail-under", "50.5")
    assert 1 == done.returncode
    assert "Below 50.5: hubspot contacts (records), hubspot contacts email" in done.stderr
