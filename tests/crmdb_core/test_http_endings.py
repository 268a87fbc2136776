"""S14: what an API announces is told in time, and what it has ended is no passing fault."""

from __future__ import annotations

from typing import Any

import pytest

from crmdb_core.exceptions import ExitCode, GoneError
from crmdb_core.http import ApiSession


def make(server: Any, clock: Any) -> ApiSession:
    return ApiSession(api_url=server.url, clock=clock, sleep=clock.sleep)


def test_s14_what_is_gone_is_not_asked_for_again(server: Any, clock: Any) -> None:
    server.default = lambda _, wire: wire.answer({"message": "jane@example.com"}, 410)
    with pytest.raises(GoneError, match=r"answered 410: .*api_version") as caught:
        make(server, clock).get_json("/x")
    assert (1, ExitCode.CONFIG) == (len(server.requests), caught.value.exit_code)
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Sunset": "Thu, 30 Mar 2028 00:00:00 GMT"}, ["/x stops to work on 2028-03-30"]),
        ({"Deprecation": "@1835654400"}, ["/x is out of favour as of 2028-03-03"]),
        (
            {"Sunset": "Thu, 30 Mar 2028 00:00:00 GMT", "Deprecation": "Mon, 01 Mar 2027 00:00:00 GMT"},
            ["/x stops to work on 2028-03-30", "/x is out of favour as of 2027-03-01"],
        ),
        ({"Sunset": "soon"}, []),
        ({"Deprecation": "true"}, []),
        ({"Deprecation": "@99999999999999"}, []),
        ({}, []),
    ],
)
def test_s14_an_ending_is_told_once_with_its_day(
    server: Any, clock: Any, caplog: pytest.LogCaptureFixture, headers: dict[str, str], told: list[str]
) -> None:
    server.default = lambda _, wire: wire.answer({"a": 1}, headers=headers)
    session = make(server, clock)
    for path in ("/x", "/x", "/y"):
        session.get_json(path)
    lines = [record.getMessage() for record in caplog.records if "the API says" in record.getMessage()]
    assert len(told) == len(lines)
    assert all(text in line for text, line in zip(told, lines, strict=True))
