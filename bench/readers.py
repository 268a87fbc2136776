"""Who reads the fake HubSpot: the ideal client, ours, and other people's taps. Each is made ready for one fake."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests

from bench.environments import SINGER_HUBSPOT, Environment
from bench.fake_server import TYPES
from bench.measure import BIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.fake_server import FakeServer
    from bench.measure import Workshop

    Command = Sequence[str | Path]

IDEAL = "ideal client"
OURS = "tap-hubspot"
SINGER = "singer-io/tap-hubspot"
MELTANOLABS = "MeltanoLabs/tap-hubspot"
PREPARING = "preparing"  # the token of what is not measured; each run has one of its own, since limits are per app
_HERE = Path(__file__).parent
_PEERS = _HERE / "peers"
_A_PAGE = 100
_WORKERS = 32
_BURST_SECONDS = 10


@dataclass(frozen=True)
class Reader:
    """One contender: its command for a token and a state file, and the field that names a record of a stream.

    Without `keys` it prints how many records it read, else Singer messages.
    """

    name: str
    command: Callable[[str, Path | None], Command]
    keys: Mapping[str, str]


@dataclass(frozen=True)
class Kitchen:
    """Where the contenders are made ready: one fake, its types of record, files."""

    workshop: Workshop
    fake: FakeServer
    types: Sequence[str] = TYPES
    burst: int = 0

    @cached_property
    def ids(self) -> dict[str, list[str]]:
        """The ids of what is to be read, by type."""
        return {kind: ids for kind, ids in self.fake.ids().items() if kind in self.types}

    def ideal(self, workers: int = _WORKERS) -> Reader:
        """The floor: it knows all pages beforehand and keeps nothing."""
        pages = [path for kind in self.types for path in self._pages(kind)]

        def command(token: str, _: Path | None) -> Command:
            limit = {"burst": self.burst, "seconds": _BURST_SECONDS, "workers": workers}
            plan = {"url": self.fake.url, "token": token, **limit, "pages": pages}
            return [sys.executable, _HERE / "ideal_read.py", self._write(f"ideal-{token}.json", plan)]

        return Reader(IDEAL, command, {})

    def ours(self, **settings: Any) -> Reader:
        """tap-hubspot with its defaults."""
        program: Command = [BIN / "tap-hubspot"]
        config = {"api_url": self.fake.url, "access_token": PREPARING, **settings}
        catalog = self._catalog(OURS, program, config)

        def command(token: str, state: Path | None) -> Command:
            path = self._write(f"{OURS}-{token}.json", {**config, "access_token": token})
            resumed: Command = ["--state", state] if state else []
            return [*program, "--config", path, "--catalog", catalog, *resumed]

        return Reader(OURS, command, dict.fromkeys(self.types, "id"))

    def singer(self) -> Reader:
        """singer-io's, with a private app's token; all properties as columns, not once more as the nested object."""
        program: Command = [SINGER_HUBSPOT.program("python"), _PEERS / "singer_hubspot_tap.py", self.fake.url]
        config = {"api_key": PREPARING, "start_date": "2000-01-01T00:00:00Z"}
        catalog = self._catalog("singer-io", program, config, unwanted=("properties", "properties_versions"))

        def command(token: str, _: Path | None) -> Command:
            path = self._write(f"singer-io-{token}.json", {**config, "api_key": token})
            return [*program, "--config", path, "--properties", catalog]

        keys = {"contacts": "id", "companies": "companyId", "deals": "dealId", "tickets": "id"}
        return Reader(SINGER, command, keys)

    def meltanolabs(self, environment: Environment) -> Reader:
        """MeltanoLabs', with its defaults; of tickets it asks for no property, so the default ones come."""
        program: Command = [
            environment.program("python"),
            _HERE / "peers" / "meltanolabs_hubspot_tap.py",
            self.fake.url,
        ]
        config = {"access_token": PREPARING}
        catalog = self._catalog("meltanolabs", program, config)

        def command(token: str, _: Path | None) -> Command:
            path = self._write(f"meltanolabs-{token}.json", {"access_token": token})
            return [*program, "--config", path, "--catalog", catalog]

        return Reader(MELTANOLABS, command, dict.fromkeys(self.types, "id"))

    def _pages(self, kind: str) -> Iterable[str]:
        """The paths of all list pages of a type, with all its properties."""
        answer = requests.get(
            f"{self.fake.url}/crm/properties/2026-09/{kind}",
            headers={"Authorization": f"Bearer {PREPARING}"},
            timeout=60,
        )
        answer.raise_for_status()
        names = ",".join(one["name"] for one in answer.json()["results"])
        for start in self.ids[kind][::_A_PAGE]:
            query = urlencode({"limit": _A_PAGE, "after": start, "properties": names}, safe=",")
            yield f"/crm/objects/2026-09/{kind}?{query}"

    def _catalog(self, name: str, program: Command, config: Mapping[str, Any], unwanted: Sequence[str] = ()) -> Path:
        """Let the tap discover, and select these types with all fields."""
        found = self.workshop.folder / f"{name}-discovered.json"
        path = self._write(f"{name}-{PREPARING}.json", config)
        self.workshop.run([*program, "--config", path, "--discover"], stdout=found)
        catalog = json.loads(found.read_text("utf-8"))
        for stream in catalog["streams"]:
            wanted = stream["tap_stream_id"] in self.types
            for entry in stream["metadata"]:
                field = entry["breadcrumb"][-1] if entry["breadcrumb"] else ""
                entry["metadata"]["selected"] = wanted and field not in unwanted
        return self._write(f"{name}-catalog.json", catalog)

    def _write(self, name: str, content: object) -> Path:
        path = self.workshop.folder / name
        path.write_text(json.dumps(content), "utf-8")
        path.chmod(0o600)
        return path
