"""The command line: `fake-crm serve`, `clock`, `edit`, `state`, `requests`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.kinds import STANDARD
from fake_crm.hubspot.limits import TIERS, Limits
from fake_crm.server import FakeCrm, describe
from fake_crm.world_file import WorldFileError, quick_world, read_world
from fake_crm.world_load import load

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_FAILED = 1
EXIT_CONFIG = 78
_SIZES = (("contacts", 100), ("companies", 20), ("deals", 30), ("tickets", 10))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    commands = {"serve": _serve, "clock": _clock, "edit": _edit, "state": _state, "requests": _requests}
    try:
        return commands[options.command](options)
    except WorldFileError as error:
        _complain(*error.problems)
        return EXIT_CONFIG
    except ValueError as error:
        _complain(str(error))
        return EXIT_CONFIG
    except OSError as error:
        _complain(f"{error}; is the fake running at that address?" if options.command != "serve" else str(error))
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fake-crm", description="A strict local HubSpot, for tests and demos.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_serve(commands.add_parser("serve", help="serve until stopped"))
    clock = _moving(commands, "clock", "move its clock")
    how = clock.add_mutually_exclusive_group(required=True)
    how.add_argument("--advance", type=float, metavar="SECONDS")
    how.add_argument("--set", metavar="INSTANT", help="like 2026-11-01T00:00:00Z")
    edit = _moving(commands, "edit", "edit records, as people would")
    for name, _ in _SIZES:
        edit.add_argument(f"--{name}", type=int, default=0, metavar="N", help=f"change N {name}")
    edit.add_argument("--create", type=int, default=0, metavar="N", help="make N records of the type --of")
    edit.add_argument("--archive", type=int, default=0, metavar="N", help="archive N records of the type --of")
    edit.add_argument("--of", default="contacts", metavar="TYPE", help="the type for --create and --archive: contacts")
    _moving(commands, "state", "show how much there is")
    _moving(commands, "requests", "show the latest requests as JSON")
    return parser


def _moving(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.add_argument("--url", required=True, help="the address of a served fake")
    return parser


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.add_argument("--url-file", type=Path, metavar="PATH", help="write the address there when it answers")
    serve.add_argument("--token", action="append", help="a token to accept (repeatable); default test-token")
    serve.add_argument("--seed", type=int, default=1)
    for name, default in _SIZES:
        serve.add_argument(f"--{name}", type=int, metavar="N", help=f"made-up {name}; {default}, or 0 with files")
    serve.add_argument(
        "--object", action="append", type=_size, default=[], metavar="TYPE=N", help="made-up records of another type"
    )
    serve.add_argument("--properties", type=int, default=0, metavar="N", help="properties of each main type, at least")
    serve.add_argument("--world", type=Path, metavar="TOML", help="load records as this file says")
    serve.add_argument("--load", action="append", metavar="TYPE=FILE", help="load a .csv or .jsonl file (repeatable)")
    serve.add_argument("--date-format", metavar="FORMAT", help="of the dates in --load files, like %%m/%%d/%%Y")
    serve.add_argument("--tier", choices=sorted(TIERS), help="rate limits of this kind of account; default none")
    for name in ("burst", "search", "daily"):
        serve.add_argument(f"--{name}-limit", type=int, metavar="N", help=f"the {name} limit, above all else")
    serve.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="of every answer")
    serve.add_argument("--search-lag", type=float, default=0.0, metavar="SECONDS", help="until writes are searchable")
    serve.add_argument("--ignore-unknown-query", action="store_true", help="answer in spite of unknown URL parameters")
    serve.add_argument("--clock", metavar="INSTANT", help="where its clock starts; default now")
    serve.add_argument("--frozen", action="store_true", help="the clock stands until it is moved")
    serve.add_argument("--faults", type=Path, metavar="JSON", help="a list of faults to begin with")


def _size(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in {kind.name for kind in STANDARD} or not count.isdecimal():
        raise argparse.ArgumentTypeError(f"write it like orders=20, with the name of an object type, not {text!r}")
    return name, int(count)


def _serve(options: argparse.Namespace) -> int:
    crm = _made(options)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with crm:
        _say(json.dumps(describe(crm)))
        if options.url_file:
            _write_whole(options.url_file, crm.url + "\n")
        stop.wait()
    return 0


def _made(options: argparse.Namespace) -> FakeCrm:
    faults = _faults(options.faults) if options.faults else []
    files = options.world or options.load
    sizes: dict[str, Any] = {name: 0 if files else default for name, default in _SIZES}
    sizes |= {name: getattr(options, name) for name, _ in _SIZES if getattr(options, name) is not None}
    crm = FakeCrm(
        seed=options.seed,
        **sizes,
        objects=dict(options.object),
        properties=options.properties,
        limits=_limits(options),
        latency=options.latency,
        clock=options.clock,
        frozen=options.frozen,
        search_lag=options.search_lag,
        tokens=options.token or ("test-token",),
        port=options.port,
    )
    try:
        _fill(crm, options, faults)
    except ValueError:
        crm.stop()
        raise
    return crm


def _fill(crm: FakeCrm, options: argparse.Namespace, faults: list[dict[str, Any]]) -> None:
    crm.quirks.ignore_unknown_query = options.ignore_unknown_query
    for fault in faults:
        crm.faults.add(**fault)
    if options.world:
        load(crm.hubspot, read_world(options.world))
    if options.load:
        load(crm.hubspot, quick_world(options.load, Path(), options.date_format))


def _limits(options: argparse.Namespace) -> Limits | None:
    base = TIERS[options.tier] if options.tier else Limits()
    own = {name: getattr(options, f"{name}_limit") for name in ("burst", "search", "daily")}
    given = {name: value for name, value in own.items() if value is not None}
    parts = {"burst": base.burst, "search": base.search, "daily": base.daily, "associations": base.associations}
    return Limits(**{**parts, **given})


def _faults(path: Path) -> list[dict[str, Any]]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise ValueError(f"{path.name}: must be a list of objects, one for each fault")
    return data


def _clock(options: argparse.Namespace) -> int:
    order = {"set": options.set} if options.set else {"advance": options.advance}
    _say(f"its clock is now at {_asked(options.url, 'clock', order)['now']}")
    return 0


def _edit(options: argparse.Namespace) -> int:
    edits = {name: getattr(options, name) for name, _ in _SIZES if getattr(options, name)}
    order: dict[str, dict[str, int]] = {"edit": edits}
    for name in ("create", "archive"):
        order[name] = {options.of: getattr(options, name)} if getattr(options, name) else {}
    for kind, done in _asked(options.url, "edit", order).items():
        counts = ", ".join(f"{len(ids)} {what}" for what, ids in done.items() if ids)
        _say(f"{kind}: {counts or 'nothing'}")
    return 0


def _state(options: argparse.Namespace) -> int:
    _say(json.dumps(_asked(options.url, "state"), indent=2))
    return 0


def _requests(options: argparse.Namespace) -> int:
    _say(json.dumps(_asked(options.url, "requests"), indent=2))
    return 0


def _asked(url: str, path: str, order: dict[str, Any] | None = None) -> Any:
    """The answer of a served fake; ValueError with its reason if it refuses."""
    if not url.startswith("http://127.0.0.1:"):
        raise ValueError(f"{url} is not the address of a served fake, which begins with http://127.0.0.1:")
    body = None if order is None else json.dumps(order).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/_fake/{path}", data=body)  # noqa: S310 - http only, see above
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(json.load(error)["error"]) from None


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody reads half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _complain(*lines: str) -> None:
    sys.stderr.write("".join(f"fake-crm: {line}\n" for line in lines))
