"""Forms, and submissions that come newest first: each run exactly what is new."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import NotFoundError
from crmdb_core.http import ApiSession
from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(contacts=0, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        for name in ("Newsletter", "Contact us", "Old"):
            form = crm.hubspot.add_form(name)
            for number in range(120):
                crm.hubspot.submit_form(form, {"email": f"{number}@example.com"}, at=stamp(number))
        crm.hubspot.archive_form(form_of(crm, "Old"))
        crm.clock.advance(86_400)
        yield crm


def stamp(number: int) -> str:
    return f"2026-10-{1 + number // 10:02}T00:00:0{number % 10}Z"


def form_of(crm: FakeCrm, name: str) -> str:
    return next(str(form["id"]) for form in crm.hubspot.forms.values() if form["name"] == name)


def everything(crm: FakeCrm) -> set[str]:
    return {row["conversionId"] for rows in crm.hubspot.submissions.values() for row in rows}


def got(run: Run) -> list[str]:
    return [row["conversionId"] for row in run.records("form_submissions")]


def submitted(run_tap: RunTap, crm: FakeCrm, **options: Any) -> Run:
    return run_tap(crm, "form_submissions", legacy=True, **options)


def calls(crm: FakeCrm) -> int:
    return len([request for request in crm.requests if "/submissions/" in request.path])


def test_forms_come_with_archived_ones(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "forms")
    assert ["Newsletter", "Contact us", "Old"] == [row["name"] for row in run.records("forms")]
    assert [None, None, "2026-11-01T00:00:00.000Z"] == [row["_sdc_deleted_at"] for row in run.records("forms")]
    assert run.records("forms")[0]["fieldGroups"][0]["fields"][0]["name"] == "email"
    assert {"/marketing/forms/2026-09-beta"} == {each.path for each in crm.requests if "/forms" in each.path}


def test_every_record_fits_its_schema(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "forms", "form_submissions", legacy=True)
    for stream in ("forms", "form_submissions"):
        assert run.records(stream)
        assert run.misfits(stream) == []
    row = run.records("form_submissions")[0]
    assert row["values"] == [{"name": "email", "value": "119@example.com", "objectTypeId": "0-1"}]
    assert (row["submittedAt"], row["pageUrl"]) == ("2026-10-12T00:00:09.000Z", None)


def test_forms_are_read_from_v3_where_the_beta_is_not_open(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="2026-09-beta", status=404, times=None)
    failed = run_tap(crm, "forms")
    failure = failed.error.failures["forms"]  # type: ignore[union-attr]  # SyncFailedError
    assert isinstance(failure, NotFoundError)
    assert "legacy" in str(failure)
    assert 3 == len(run_tap(crm, "forms", legacy=True).records("forms"))


def test_submissions_of_all_forms_come_50_a_call(run_tap: RunTap, crm: FakeCrm) -> None:
    run = submitted(run_tap, crm)
    assert sorted(got(run)) == sorted(everything(crm))
    assert 3 * 3 == calls(crm)
    assert run.bookmark("form_submissions") is not None


def test_a_second_run_brings_exactly_the_new_ones_by_one_call_a_form(run_tap: RunTap, crm: FakeCrm) -> None:
    first = submitted(run_tap, crm)
    crm.clock.advance(3600)
    new = {crm.hubspot.submit_form(form_of(crm, "Newsletter"), {"email": "new@example.com"}) for _ in range(3)}
    crm.clock.advance(3600)
    crm.requests.clear()
    second = submitted(run_tap, crm, state=first.state)
    assert (new, 3, 3) == (set(got(second)), len(got(second)), calls(crm))
    crm.clock.advance(3600)
    assert [] == got(submitted(run_tap, crm, state=second.state))


def test_windows_meet_at_the_millisecond(run_tap: RunTap, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was submitted at the very end of a window belongs to the next one; nothing is in none or both."""
    form = form_of(crm, "Newsletter")
    times = ["2026-11-01T11:58:59.999Z", "2026-11-01T11:59:00Z", "2026-11-01T11:59:00Z", "2026-11-01T11:59:00.001Z"]
    before, *after = [crm.hubspot.submit_form(form, {"email": "a@example.com"}, at=at) for at in times]
    monkeypatch.setattr(ApiSession, "server_now", lambda _: datetime(2026, 11, 1, 12, tzinfo=UTC))
    first = submitted(run_tap, crm, hold_back=60, lookback=0)
    assert before in got(first)
    assert set(after).isdisjoint(got(first))
    monkeypatch.setattr(ApiSession, "server_now", lambda _: datetime(2026, 11, 1, 13, tzinfo=UTC))
    assert set(after) == set(got(submitted(run_tap, crm, state=first.state, hold_back=60, lookback=0)))


def test_what_is_submitted_during_the_run_is_left_to_the_next(run_tap: RunTap, crm: FakeCrm) -> None:
    late: list[str] = []

    def submit(request: Any) -> None:
        if "/submissions/" in request.path and len(late) < 5:
            crm.clock.advance(61)
            late.append(crm.hubspot.submit_form(form_of(crm, "Newsletter"), {"email": "late@example.com"}))

    crm.on_request(submit)
    first = submitted(run_tap, crm)
    assert sorted(got(first)) == sorted(everything(crm) - set(late))
    crm.clock.advance(3600)
    assert set(late) == set(got(submitted(run_tap, crm, state=first.state)))


def test_a_cut_read_goes_on_inside_the_form(run_tap: RunTap, crm: FakeCrm) -> None:
    second_form = sorted(crm.hubspot.forms)[1]
    crm.faults.add(path=f"{second_form}.*after", status=400, times=None)
    cut = submitted(run_tap, crm)
    assert (120 + 50, None) == (len(got(cut)), cut.bookmark("form_submissions"))
    crm.faults.clear()
    crm.requests.clear()
    resumed = submitted(run_tap, crm, state=cut.state)
    assert sorted([*got(cut), *got(resumed)]) == sorted(everything(crm))
    assert 2 + 3 == calls(crm)
    crm.clock.advance(3600)
    assert [] == got(submitted(run_tap, crm, state=resumed.state))


def test_a_submission_without_a_conversion_id_has_a_key_all_the_same(run_tap: RunTap, crm: FakeCrm) -> None:
    form = form_of(crm, "Newsletter")
    for at in (0, 1):
        crm.hubspot.submissions[form][at].pop("conversionId")
    first, again = submitted(run_tap, crm), submitted(run_tap, crm)
    assert sorted(got(first)) == sorted(got(again))
    assert (360, 360) == (len(got(first)), len(set(got(first))))


def test_a_form_without_submissions_at_hubspot_fails_nothing(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path=f"/submissions/forms/{form_of(crm, 'Contact us')}", status=404, times=None)
    run = submitted(run_tap, crm)
    assert (None, 240) == (run.error, len(got(run)))


def test_a_full_refresh_lets_deleted_submissions_vanish(run_tap: RunTap, crm: FakeCrm) -> None:
    first = submitted(run_tap, crm)
    del crm.hubspot.submissions[form_of(crm, "Newsletter")][:5]
    run = submitted(run_tap, crm, state=first.state, full_refresh=True)
    assert 355 == len(got(run))
    assert [m["stream"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"] == ["form_submissions"]


def test_a_missing_scope_is_named(run_tap: RunTap, crm: FakeCrm) -> None:
    token = crm.access.add_token("narrow", scopes=["crm.objects.owners.read"])
    catalog = run_tap.catalog(crm, "form_submissions", "forms", legacy=True)
    run = run_tap(crm, catalog=catalog, legacy=True, access_token=token)
    failures = run.error.failures  # type: ignore[union-attr]  # SyncFailedError
    assert all("forms" in str(failures[stream]) for stream in ("forms", "form_submissions"))
