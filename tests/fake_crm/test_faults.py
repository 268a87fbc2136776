"""Faults really happen on the socket. Ids are those of the project's fault catalogue."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

CONTACTS = "/crm/objects/2026-09/contacts"


@pytest.mark.parametrize("policy", ["DAILY", "TEN_SECONDLY_ROLLING", "SECONDLY"])
def test_n01_a_429_with_each_policy(client: Any, crm: FakeCrm, policy: str) -> None:
    crm.faults.add(policy=policy, headers={"Retry-After": "37"})
    response = client.get(CONTACTS)
    assert (429, policy, "37") == (
        response.status_code,
        response.json()["policyName"],
        response.headers["Retry-After"],
    )
    assert 200 == client.get(CONTACTS).status_code


@pytest.mark.parametrize("status", [401, 403, 423, 477, 500])
def test_n05_a_status_with_the_crms_own_body(client: Any, crm: FakeCrm, status: int) -> None:
    crm.faults.add(status=status, headers={"Retry-After": "5"})
    response = client.get(CONTACTS)
    assert (status, "error", "5") == (response.status_code, response.json()["status"], response.headers["Retry-After"])


@pytest.mark.parametrize("status", [414, 502, 503, 504, 521, 524, 530])
def test_n05_a_status_with_a_proxys_page(client: Any, crm: FakeCrm, status: int) -> None:
    crm.faults.add(status=status)
    response = client.get(CONTACTS)
    assert (status, "text/html") == (response.status_code, response.headers["Content-Type"])


def test_a_fault_strikes_only_where_and_when_it_should(client: Any, crm: FakeCrm) -> None:
    fault = crm.faults.add(path=r"/contacts\?", method="GET", after=1, times=2, status=500)
    statuses = [client.get(CONTACTS, limit=1).status_code for _ in range(4)]
    assert [200, 500, 500, 200] == statuses
    assert 200 == client.get("/crm/v3/owners", limit=1).status_code
    assert (4, 2) == (fault.seen, fault.hits)


def test_a_body_may_be_given(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(status=500, body={"message": "boom"})
    crm.faults.add(status=503, body="<html>later</html>")
    assert "boom" == client.get(CONTACTS).json()["message"]
    assert "<html>later</html>" == client.get(CONTACTS).text


@pytest.mark.parametrize("cut", [None, 0, 100])
def test_n07_a_reset_connection(client: Any, crm: FakeCrm, cut: int | None) -> None:
    crm.faults.add(kind="reset", cut=cut)
    with pytest.raises(requests.RequestException, match="ConnectionResetError"):
        client.get(CONTACTS)
    assert 200 == client.get(CONTACTS).status_code


def test_n08_a_body_shorter_than_announced(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="short_body")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.get(CONTACTS)


def test_n09_truncated_json_of_the_right_length(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="truncate")
    response = client.get(CONTACTS)
    assert (200, str(len(response.content))) == (response.status_code, response.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.text)


def test_n10_html_with_status_200(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="html")
    response = client.get(CONTACTS)
    assert (200, "text/html") == (response.status_code, response.headers["Content-Type"])


def test_n11_corrupt_gzip(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="gzip")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        client.get(CONTACTS)


def test_n12_a_drip_never_trips_the_idle_timeout(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="drip", seconds=0.02)
    started = time.monotonic()
    with client.call("GET", CONTACTS, stream=True) as response:
        head = response.raw.read(20)
    assert b'{"results":' in head
    assert time.monotonic() - started > 0.3  # twenty bytes


def test_n12_a_stall_sends_nothing(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="stall")
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.session.get(crm.url + CONTACTS, timeout=0.2)
    assert crm.requests[-1].status is None


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/evil", None])
def test_n15_a_redirect(client: Any, crm: FakeCrm, location: str | None) -> None:
    crm.faults.add(kind="redirect", location=location)
    response = client.call("GET", CONTACTS, allow_redirects=False)
    assert (302, location or CONTACTS) == (response.status_code, response.headers["Location"])


def test_n15_a_redirect_loop(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="redirect", times=None)
    with pytest.raises(requests.TooManyRedirects):
        client.get(CONTACTS)


def test_n17_an_empty_200(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="empty")
    response = client.get(CONTACTS)
    assert (200, b"") == (response.status_code, response.content)


def test_n17_a_connection_closed_between_two_requests(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="close")
    response = client.get(CONTACTS)
    assert (200, "keep-alive") == (response.status_code, response.headers["Connection"])


def test_latency(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="latency", seconds=0.2)
    started = time.monotonic()
    assert 200 == client.get(CONTACTS).status_code
    assert time.monotonic() - started >= 0.2


def test_a_cut_write_did_happen_and_a_reset_one_did_not(client: Any, crm: FakeCrm) -> None:
    crm.faults.add(kind="short_body")
    crm.faults.add(kind="reset")
    for email in ("cut@example.com", "reset@example.com"):
        with pytest.raises(requests.RequestException):
            client.post(CONTACTS, {"properties": {"email": email}})
    emails = [row["properties"]["email"] for row in crm.hubspot.records("contacts")]
    assert (True, False) == ("cut@example.com" in emails, "reset@example.com" in emails)


def test_wrong_orders_are_refused_at_once(crm: FakeCrm) -> None:
    with pytest.raises(ValueError, match=r"unknown option 'pth'.*unknown kind 'explode'.*no regular expression"):
        crm.faults.add(pth="x", kind="explode", path="(")


def test_s01_a_hook_edits_between_two_pages(client: Any, crm: FakeCrm) -> None:
    @crm.on_request
    def archive_one(request: Any) -> None:
        if request.query.get("after"):
            crm.hubspot.archive("contacts", request.query["after"][0])

    after = client.get(CONTACTS, limit=2).json()["paging"]["next"]["after"]
    second = client.get(CONTACTS, limit=2, after=after).json()
    assert ("93", ["94", "95"]) == (after, [row["id"] for row in second["results"]])


def test_a_stalled_fake_stops_at_once(fake_crm: Callable[..., FakeCrm]) -> None:
    crm = fake_crm(contacts=1)
    crm.faults.add(kind="stall")
    with requests.Session() as session, pytest.raises(requests.exceptions.ReadTimeout):
        session.get(crm.url + CONTACTS, timeout=0.1)
    started = time.monotonic()
    crm.stop()
    assert time.monotonic() - started < 5
