"""A small tap on crmdb_core: what the tests run in process, and as a process of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import requests
from singer_sdk import typing as th
from typing_extensions import override

from crmdb_core.exits import run
from crmdb_core.http import Budget
from crmdb_core.settings import common_settings
from crmdb_core.stream import CrmStream, Page
from crmdb_core.tap import CrmTap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmdb_core.http import ApiSession

SCHEMA = th.PropertiesList(
    th.Property("id", th.IntegerType),
    th.Property("updated_at", th.DateTimeType),
    th.Property("name", th.StringType),
).to_dict()


class Token(requests.auth.AuthBase):
    """Bearer token."""

    def __init__(self, token: str) -> None:
        self.token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r


class Things(CrmStream):
    """Read by id, so unordered by the replication key; resumable after the last id."""

    name = "things"
    primary_keys = ("id",)
    replication_key = "updated_at"

    @override
    def fetch(self) -> Iterator[Page]:
        after = (self.resume_point or {}).get("after", 0)
        low = "" if self.window.low is None else self.window.low.isoformat()
        while True:
            page = self.tap.session.get_json(f"/{self.name}", {"after": after, "low": low})
            self.expect(page["total"])
            if not page["results"]:
                return
            after = page["results"][-1]["id"]
            yield Page(page["results"], {"after": after})


class Labels(Things):
    """A full table."""

    name = "labels"
    replication_key = None  # type: ignore[assignment]  # the SDK allows None


class Events(Things):
    """Comes in the order of its replication key."""

    name = "events"
    is_sorted = True


class TapDemo(CrmTap):
    """A tap for tests."""

    name = "tap-demo"
    package_name = "crmdb-core"
    state_seconds = float(os.environ.get("TAP_DEMO_STATE_SECONDS", "5"))
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("token", th.StringType, secret=True, required=True),
        th.Property("streams", th.StringType, default="things,labels"),
        *common_settings(hold_back=0),
    ).to_dict()

    @override
    def open_session(self) -> ApiSession:
        return self.new_session(
            api_url=self.config["api_url"],
            auth=Token(self.config["token"]),
            budgets={"default": Budget(10_000, 1)},
        )

    @override
    def config_faults(self) -> list[str]:
        return ["token: is a placeholder; put in a real one"] if self.config["token"] == "changeme" else []

    @override
    def discover_streams(self) -> Sequence[CrmStream]:
        kinds: dict[str, type[CrmStream]] = {kind.name: kind for kind in (Things, Labels, Events)}
        return [kinds[name](self, schema=SCHEMA) for name in self.config["streams"].split(",")]

    @override
    def probe(self) -> None:
        self.session.get_json("/time")


def main(args: Any = None) -> None:
    """Run as a console script does."""
    run(TapDemo.cli, name="tap-demo", args=args)


if __name__ == "__main__":
    main()
