"""Who reads the fake Salesforce: ours, other people's taps, and a bare client. Each is made ready for one fake."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import BIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.environments import Environment
    from bench.fake_server import FakeServer
    from bench.measure import Workshop

    Command = Sequence[str | Path]

OURS = "tap-salesforce (crmdb)"
SINGER = "singer-io/tap-salesforce"
MELTANOLABS = "MeltanoLabs/tap-salesforce"
BARE = "bare client"
_HERE = Path(__file__).parent
# the fake's own app
_APP = {"client_id": "fake-client-id", "client_secret": "fake-client-secret"}
_REFRESH = {"refresh_token": "fake-refresh-token", "start_date": "2000-01-01T00:00:00Z"}
_API_OF = {
    SINGER: {"rest": "REST", "bulk": "BULK"},  # its Bulk is that of API 1.0
    MELTANOLABS: {"rest": "REST", "bulk": "BULK2"},
}


@dataclass(frozen=True)
class Reader:
    """One contender: the program, what its option for a catalog is called, its settings."""

    name: str
    program: Command
    catalog_option: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Kitchen:
    """Where the contenders are made ready for one fake."""

    workshop: Workshop
    fake: FakeServer

    def ours(self, api: str, streams: Sequence[str]) -> Reader:
        """tap-salesforce with its defaults, but for the share of the org's calls that it may use."""
        shares = {"max_daily_share": 1, "max_run_share": 1, "cache_dir": "none"}
        config = {**_APP, "login_url": self.fake.url, "api_type": api, "streams": list(streams), **shares}
        return Reader(OURS, [BIN / "tap-salesforce"], "--catalog", config)

    def peer(self, name: str, environment: Environment, api: str, streams: Sequence[str]) -> Reader | None:
        """Somebody else's tap; None where it, or the fake, has no such way to read."""
        its_api = _API_OF[name].get(api)
        if its_api is None:
            return None
        program: Command = [environment.program("python"), _HERE / "peers" / "salesforce_tap.py", self.fake.url]
        config: dict[str, Any] = {**_APP, **_REFRESH, "api_type": its_api, "select_fields_by_default": True}
        config |= {"quota_percent_total": 100, "quota_percent_per_run": 100}
        if name == MELTANOLABS:
            config["streams_to_discover"] = list(streams)
        return Reader(name, program, "--properties" if name == SINGER else "--catalog", config)

    def bare(self, path: str) -> Command:
        """The floor for a Bulk result: its pages downloaded in parallel, and thrown away."""
        return [sys.executable, _HERE / "bare_download.py", self.fake.url, path]

    def command(self, reader: Reader, catalog: Path | None) -> Command:
        """The command that reads by a catalog, or discovers."""
        path = self._write(f"config-{_plain(reader.name)}.json", reader.config)
        more: Command = ["--discover"] if catalog is None else [reader.catalog_option, catalog]
        return [*reader.program, "--config", path, *more]

    def catalog(self, reader: Reader, streams: Sequence[str], fields: int | None = None) -> Path:
        """Let it discover, and select these streams, with their first so many fields if a number is given."""
        found = self.workshop.folder / f"discovered-{_plain(reader.name)}.json"
        self.workshop.run(self.command(reader, None), stdout=found)
        catalog = json.loads(found.read_text("utf-8"))
        for stream in catalog["streams"]:
            chosen = _chosen(stream, fields)
            for entry in stream["metadata"]:
                name = entry["breadcrumb"][-1] if entry["breadcrumb"] else ""
                is_wanted = stream["tap_stream_id"] in streams and (not name or name in chosen)
                entry["metadata"]["selected"] = is_wanted
        return self._write(f"catalog-{_plain(reader.name)}.json", catalog)

    def _write(self, name: str, content: object) -> Path:
        path = self.workshop.folder / name
        path.write_text(json.dumps(content), "utf-8")
        path.chmod(0o600)
        return path


def _chosen(stream: Mapping[str, Any], fields: int | None) -> set[str]:
    """The same fields for everybody: those that are no compounds, in the order of their names, the Id first."""
    properties = stream["schema"]["properties"]
    plain = [name for name, schema in properties.items() if "object" not in (schema.get("type") or ())]
    names = sorted(name for name in plain if not name.startswith("_sdc") and not name.endswith("Address"))
    names.sort(key=lambda name: name not in {"Id", "SystemModstamp", "IsDeleted"})
    return set(names[:fields])


def _plain(contender: str) -> str:
    return "".join(sign for sign in contender if sign.isalnum())
