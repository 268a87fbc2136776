"""The session under the SDK's own RESTStream, with the SDK's backoff off."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream
from singer_sdk.pagination import SinglePagePaginator
from typing_extensions import override

from crmdb_core.stream import CrmStream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import requests


class RestThings(CrmStream, RESTStream[Any]):
    """Fetched by the SDK, sent by the shared session."""

    name = "things"
    path = "/things"
    primary_keys = ("id",)
    records_jsonpath = "$.results[*]"

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.tap.session

    @override
    def get_new_paginator(self) -> SinglePagePaginator:
        return SinglePagePaginator()

    @override
    def backoff_max_tries(self) -> int:
        return 1


def test_a_rest_stream_of_the_sdk_gets_the_shared_retries(demo: ModuleType, api: Any) -> None:
    class Tap(demo.TapDemo):  # type: ignore[name-defined, misc]  # a module loaded at run time
        @override
        def discover_streams(self) -> Sequence[CrmStream]:
            return [RestThings(self, schema=demo.SCHEMA)]

    api.then(api.default, lambda _, wire: wire.answer({}, 503, {"Retry-After": "0"}))
    with redirect_stdout(out := io.StringIO()):
        Tap(config={"api_url": api.url, "token": "canary-secret"}).sync_all()
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [1, 2, 3, 4] == [message["record"]["id"] for message in messages if message["type"] == "RECORD"]
    assert {"expected": None, "calls": 3} == {
        name: messages[-1]["value"]["run"]["streams"]["things"][name] for name in ("expected", "calls")
    }
