"""N15, N16: the credentials never leave the API's own scheme, host and port."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from crmdb_core.exceptions import ApiError, ConfigError, SecurityError
from crmdb_core.http import ApiSession
from crmdb_core.origin import Origin


class CustomToken(requests.auth.AuthBase):
    """A custom header, which requests would forward to any host (x-api-token of Pipedrive)."""

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["x-api-token"] = "secret-token"
        return r


def make(server: Any, clock: Any) -> ApiSession:
    return ApiSession(api_url=server.url, auth=CustomToken(), clock=clock, sleep=clock.sleep)


def redirect(location: str, status: int = 302) -> Any:
    return lambda _, wire: wire.answer(b"", status, {"Location": location})


def test_n15_a_redirect_to_another_host_is_refused_unsent(server: Any, other_server: Any, clock: Any) -> None:
    server.then(redirect(f"{other_server.url}/x"))
    with pytest.raises(SecurityError):
        make(server, clock).get_json("/x")
    assert [] == other_server.requests


def test_n15_a_redirect_loop_ends_after_five_hops(server: Any, clock: Any) -> None:
    server.default = redirect("/x")
    with pytest.raises(ApiError, match="redirected too often"):
        make(server, clock).get_json("/x")
    assert 6 == len(server.requests)


def test_n15_a_downgrade_to_http_is_refused() -> None:
    with pytest.raises(SecurityError):
        Origin("https://api.example.com").follow("https://api.example.com/a", "http://api.example.com/a")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_origin_is_followed_with_the_token(server: Any, clock: Any, status: int) -> None:
    server.then(redirect("/new?page=2", status))
    assert {"path": "/new"} == make(server, clock).get_json("/old")
    assert ["secret-token"] * 2 == [request.headers["x-api-token"] for request in server.requests]
    assert {"page": "2"} == server.requests[1].query


@pytest.mark.parametrize(("status", "methods"), [(307, ["POST", "POST"]), (302, ["POST"])])
def test_a_post_keeps_its_method_or_stops(server: Any, clock: Any, status: int, methods: list[str]) -> None:
    server.then(redirect("/new", status))
    session = make(server, clock)
    if len(methods) == 1:
        with pytest.raises(ApiError, match="away from its method"):
            session.post_json("/old", {})
    else:
        session.post_json("/old", {"a": 1})
        assert b'{"a": 1}' == server.requests[1].body
    assert methods == [request.method for request in server.requests]


@pytest.mark.parametrize(
    "template",
    [
        "http://127.0.0.1:{other}/x",
        "//127.0.0.1:{other}/x",
        "https://127.0.0.1:{port}/x",
        "http://user@127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/x",
        "http://127.0.0.1:{port}\\@127.0.0.1:{other}/x",
        "http:\\\\127.0.0.1:{other}/x",
        "http://127.0.0.1:{port}.evil.test/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://localhost:{port}/x",
    ],
)
def test_n16_next_links_elsewhere_are_refused_unsent(
    server: Any,
    other_server: Any,
    clock: Any,
    template: str,
) -> None:
    link = template.format(port=server.port, other=other_server.port)
    with pytest.raises(SecurityError):
        make(server, clock).get_json(link)
    assert [] == [*server.requests, *other_server.requests]


def test_n16_a_prepared_request_elsewhere_is_refused_unsent(server: Any, other_server: Any, clock: Any) -> None:
    session = make(server, clock)
    prepared = session.prepare_request(requests.Request("GET", f"{other_server.url}/x"))
    with pytest.raises(SecurityError):
        session.send(prepared)
    assert [] == other_server.requests


def test_an_absolute_next_link_on_the_origin_is_followed(server: Any, clock: Any) -> None:
    make(server, clock).get_json(f"{server.url}/things?after=7")
    assert ("/things", {"after": "7"}) == (server.requests[0].path, server.requests[0].query)


def test_a_base_path_is_kept_for_relative_paths(server: Any, clock: Any) -> None:
    session = ApiSession(api_url=f"{server.url}/base/", clock=clock, sleep=clock.sleep)
    assert {"path": "/base/x"} == session.get_json("/x")


@pytest.mark.parametrize("url", ["", "api.example.com", "ftp://x", "http://", "http://u:p@host", "http://[::1"])
def test_an_api_root_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="api_url"):
        Origin(url)


@given(st.text(max_size=60))
@example("/\\evil.test/x")
@example("////evil.test")
@example("@evil.test")
@example(":80@evil.test/")
@example("https://api.example.com:443@evil.test")
@example("https://api.example.com#@evil.test/")
@example("HTTPS://API.EXAMPLE.COM/x")
def test_whatever_the_link_the_request_goes_to_the_origin_or_nowhere(link: str) -> None:
    try:
        url = Origin("https://api.example.com").url(link)
        sent = requests.Request("GET", url).prepare().url
    except (SecurityError, requests.RequestException, UnicodeError):
        return
    parts = urlsplit(sent)
    assert ("https", "api.example.com", None) == (parts.scheme, parts.hostname, parts.username)
    assert parts.port in {None, 443}
