"""The command line: `fake-crm serve [CRM]`, `clock`, `edit`, `state`, `requests`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from fake_crm.github import serving as github
from fake_crm.hubspot import serving as hubspot
from fake_crm.hubspot.world_file import WorldFileError
from fake_crm.pipedrive import serving as pipedrive
from fake_crm.salesforce import serving as salesforce
from fake_crm.serving import add_common_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fake_crm.serving import Door

EXIT_FAILED = 1
EXIT_CONFIG = 78
CRMS: Mapping[str, Door] = {"github": github, "hubspot": hubspot, "pipedrive": pipedrive, "salesforce": salesforce}


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser(_crm_of(arguments)).parse_args(arguments)
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


def _crm_of(arguments: Sequence[str]) -> str:
    """The CRM that `serve` names; its options depend on it."""
    named = arguments[1:2] if list(arguments[:1]) == ["serve"] else ()
    return next((name for name in named if name in CRMS), "hubspot")


def _parser(crm: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fake-crm", description="Strict local CRM APIs, for tests and demos.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve a CRM until stopped; each has options of its own")
    serve.add_argument("crm", nargs="?", choices=sorted(CRMS), default="hubspot", help="which one; default hubspot")
    add_common_options(serve)
    CRMS[crm].add_options(serve)
    clock = _moving(commands, "clock", "move its clock")
    how = clock.add_mutually_exclusive_group(required=True)
    how.add_argument("--advance", type=float, metavar="SECONDS")
    how.add_argument("--set", metavar="INSTANT", help="like 2026-11-01T00:00:00Z")
    edit = _moving(commands, "edit", "edit records, as people would")
    for name, _ in hubspot.SIZES:
        edit.add_argument(f"--{name}", type=int, default=0, metavar="N", help=f"change N {name}")
    edit.add_argument("--change", type=int, default=0, metavar="N", help="change N records of the type --of")
    edit.add_argument("--create", type=int, default=0, metavar="N", help="make N records of the type --of")
    edit.add_argument("--archive", type=int, default=0, metavar="N", help="archive N records of the type --of")
    edit.add_argument("--delete", type=int, default=0, metavar="N", help="delete N records of the type --of")
    edit.add_argument("--of", default="contacts", metavar="TYPE", help="the type that the others are about: contacts")
    _moving(commands, "state", "show how much there is")
    _moving(commands, "requests", "show the latest requests as JSON")
    return parser


def _moving(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.add_argument("--url", required=True, help="the address of a served fake")
    return parser


def _serve(options: argparse.Namespace) -> int:
    api = CRMS[options.crm].made(options)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with api:
        _say(json.dumps(api.describe()))
        if options.url_file:
            _write_whole(options.url_file, api.url + "\n")
        stop.wait()
    return 0


def _clock(options: argparse.Namespace) -> int:
    order = {"set": options.set} if options.set else {"advance": options.advance}
    _say(f"its clock is now at {_asked(options.url, 'clock', order)['now']}")
    return 0


def _edit(options: argparse.Namespace) -> int:
    edits = {name: getattr(options, name) for name, _ in hubspot.SIZES if getattr(options, name)}
    if options.change:
        edits[options.of] = edits.get(options.of, 0) + options.change
    order: dict[str, dict[str, int]] = {"edit": edits}
    for name in ("create", "archive", "delete"):
        if count := getattr(options, name):
            order[name] = {options.of: count}
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
