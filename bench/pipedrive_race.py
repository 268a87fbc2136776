"""What `bench/tap_pipedrive.py` does: lists, products of deals, and the second of the bookmark, by every contender."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.environments import CannotInstallError, Environment
from bench.measure import BIN, FailedRunError
from bench.pipedrive_fake import served

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from bench.measure import Workshop
    from bench.pipedrive_fake import FakePipedriveServer

IDEAL, OURS, SINGER = "ideal client", "tap-pipedrive", "singer-io/tap-pipedrive 2.1.0"
SINGER_PIPEDRIVE = Environment("singer-pipedrive", ("tap_pipedrive",), ("tap-pipedrive", "singer-python"))
_HERE = Path(__file__).parent
_START = "2000-01-01T00:00:00Z"
# what both taps have, by the names of each; products of deals are a contest of their own
_OURS = ("deals", "persons", "organizations", "activities", "products", "notes", "files", "users", "pipelines",
         "stages", "filters", "currencies", "activity_types", "deal_fields")  # fmt: skip
_SINGER = {**{name: name for name in _OURS}, "currency": "currencies"}
_V2 = ("deals", "deals/archived", "persons", "organizations", "activities", "products", "pipelines", "stages")
_FIELDS = ("deal", "person", "organization", "product")
_V1 = ("notes?limit=500", "files?limit=100", "users", "filters", "currencies", "activityTypes", "users/me")
_WANTED: Mapping[str, tuple[str, ...]] = {"products": ("deal_products",), "bookmark": ("deals",)}
_AT_ONCE = 100
BURST, _BURST_SECONDS = 20, 2.2


@dataclass(frozen=True)
class Attempt:
    """One run: what it took, what it cost, which deals it did not bring."""

    contest: str
    contender: str
    deals: int
    seconds: float
    calls: int
    tokens: int
    refused: int
    lost: int
    failure: str = ""


@dataclass
class Race:
    """All contests; `attempts` is what they found."""

    options: argparse.Namespace
    workshop: Workshop
    attempts: list[Attempt] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Lists and products on the whole account; products of the peer on a small one; the bookmark's second."""
        peer = self._has_peer()
        with self._served(self.options.deals) as fake:
            for contest in ("lists", "products"):
                for repeat in range(self.options.repeats):
                    for name in (IDEAL, OURS) if repeat % 2 == 0 else (OURS, IDEAL):
                        self._keep(self._attempt(fake, contest, name, self.options.deals))
            if peer:
                self._keep(self._attempt(fake, "lists", SINGER, self.options.deals))
        if peer:
            with self._served(self.options.peer_deals) as fake:
                for name in (OURS, SINGER):
                    self._keep(self._attempt(fake, "products", name, self.options.peer_deals))
        for name in (OURS, SINGER) if peer else (OURS,):
            with self._served(200, "--frozen", "--clock", "2026-11-01T00:00:00Z") as fake:
                self._keep(self._boundary(fake, name))

    def median_of(self, contest: str, contender: str, what: str, deals: int | None = None) -> float | None:
        """The median of a figure; None where there is no good run."""
        deals = self.options.deals if deals is None else deals
        found = [
            getattr(one, what)
            for one in self.attempts
            if (one.contest, one.contender, one.deals) == (contest, contender, deals) and not one.failure
        ]
        return median(found) if found else None

    def _has_peer(self) -> bool:
        if self.options.own:
            return False
        try:
            SINGER_PIPEDRIVE.prepare()
        except CannotInstallError as error:
            print(f"{SINGER} is left out, it cannot be installed here: {error}", flush=True)
            self.left_out[SINGER] = str(error)
            return False
        return True

    def _served(self, deals: int, *more: str) -> Any:
        sizes = {"deals": deals, **{name: getattr(self.options, name) for name in ("persons", "activities")}}
        limits = ("--burst-limit", str(BURST), "--fields", str(self.options.fields))
        return served(self.workshop.folder, sizes, *limits, "--latency", str(self.options.latency), *more)

    def _keep(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        said = attempt.failure or f"{attempt.seconds:.1f} s"
        print(f"  {attempt.contest}, {attempt.deals:,} deals, {attempt.contender}: {said}, {attempt.tokens:,} tokens, "
              f"{attempt.calls:,} calls, {attempt.lost:,} lost", flush=True)  # fmt: skip

    def _attempt(self, fake: FakePipedriveServer, contest: str, name: str, deals: int) -> Attempt:
        output = self.workshop.folder / "emitted"
        command = self._command(fake, contest, name, deals)  # may ask for a catalog
        time.sleep(_BURST_SECONDS)  # all have the same token, and none is to meet the calls of the one before
        before = fake.tokens(), fake.calls(), fake.calls(429)
        failure, seconds = "", 0.0
        try:
            usage = self.workshop.attempt(command, name=_log_of(name), stdout=output, limit=self.options.peer_limit)
            seconds = usage.seconds
        except FailedRunError as error:
            failure = str(error)
        after = fake.tokens(), fake.calls(), fake.calls(429)
        tokens, calls, refused = (late - early for late, early in zip(after, before, strict=True))
        if failure and name in {IDEAL, OURS}:
            raise SystemExit(self.workshop.log(_log_of(name)))
        lost = len(fake.ids("deals") - _ids(output)) if contest == "lists" and name != IDEAL and not failure else 0
        return Attempt(contest, name, deals, seconds, calls, tokens, refused, lost, failure)

    def _boundary(self, fake: FakePipedriveServer, name: str) -> Attempt:
        """Edit deals, read, edit others in the same second, let time pass, read on: who of the others is lost?"""
        output = self.workshop.folder / "emitted"
        fake.asked("edit", {"edit": {"deals": 10}})
        self.workshop.attempt(self._command(fake, "bookmark", name, 200), name="first", stdout=output, limit=None)
        state = self.workshop.folder / "state.json"
        state.write_text(json.dumps(_state(output)), "utf-8")
        fake.asked("edit", {"edit": {"deals": 30}})
        fake.asked("clock", {"advance": 3600})
        before = fake.tokens(), fake.calls()
        command = [*self._command(fake, "bookmark", name, 200), "--state", state]
        usage = self.workshop.attempt(command, name="second", stdout=output, limit=None)
        edited = sorted(fake.ids("deals"))
        late = {one for one in edited if one % 9}  # every ninth is archived
        wanted = set(sorted(late)[10:30])
        tokens, calls = fake.tokens() - before[0], fake.calls() - before[1]
        return Attempt("bookmark", name, 200, usage.seconds, calls, tokens, 0, len(wanted - _ids(output)))

    def _command(self, fake: FakePipedriveServer, contest: str, name: str, deals: int) -> Sequence[str | Path]:
        if name == IDEAL:
            return [sys.executable, _HERE / "pipedrive_ideal.py", self._plan(fake, contest, deals)]
        if name == OURS:
            config = {"api_url": fake.url, "api_token": "test-token"}
            wanted = _WANTED.get(contest, _OURS)
            return self._with_catalog("ours", [BIN / "tap-pipedrive"], config, wanted, "--catalog")
        config = {"api_token": "test-token", "start_date": _START}
        program: Sequence[str | Path] = [
            SINGER_PIPEDRIVE.program("python"),
            _HERE / "peers" / "singer_pipedrive_tap.py",
            fake.url,
        ]
        wanted = _WANTED.get(contest, tuple(_SINGER))
        return self._with_catalog("singer", program, config, wanted, "--catalog")

    def _with_catalog(
        self, label: str, program: Sequence[str | Path], config: object, wanted: Sequence[str], option: str
    ) -> Sequence[str | Path]:
        """Let the tap discover, and select these streams; theirs discovers once more when it runs."""
        path, found = self._write(f"{label}.json", config), self.workshop.folder / f"{label}-discovered.json"
        self.workshop.run([*program, "--config", path, "--discover"], stdout=found)
        catalog = json.loads(found.read_text("utf-8"))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in wanted
        return [*program, "--config", path, option, self._write(f"{label}-catalog.json", catalog)]

    def _plan(self, fake: FakePipedriveServer, contest: str, deals: int) -> Path:
        plan: dict[str, Any] = {"url": fake.url, "token": "test-token", "burst": BURST, "chains": [], "single": []}
        if contest == "lists":
            plan["chains"] = [f"/api/v2/{name}?limit=500" for name in _V2]
            plan["single"] = [
                *(f"/api/v2/{name}Fields?limit=500" for name in _FIELDS),
                *(f"/v1/{name}" for name in _V1),
            ]
        else:
            # it knows which deals have products: every second one
            asked = [str(one) for one in range(1, deals + 1, 2)]
            groups = [",".join(asked[at : at + _AT_ONCE]) for at in range(0, len(asked), _AT_ONCE)]
            plan["chains"] = [f"/api/v2/{name}?limit=500" for name in _V2[:2]]
            plan["single"] = [f"/api/v2/deals/products?limit=500&deal_ids={group}" for group in groups]
        return self._write("plan.json", plan)

    def _write(self, name: str, content: object) -> Path:
        path = self.workshop.folder / name
        path.write_text(json.dumps(content), "utf-8")
        path.chmod(0o600)
        return path


def _log_of(contender: str) -> str:
    return contender.partition("/")[0].replace(" ", "-")


def _messages(output: Path) -> Iterator[dict[str, Any]]:
    with output.open("rb") as lines:
        yield from map(json.loads, lines)


def _ids(output: Path) -> set[int]:
    return {
        each["record"]["id"] for each in _messages(output) if each["type"] == "RECORD" and each["stream"] == "deals"
    }


def _state(output: Path) -> Any:
    return [each["value"] for each in _messages(output) if each["type"] == "STATE"][-1]
