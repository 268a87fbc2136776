"""What the command lines of all fakes share: the options of `fake-crm serve`, and how a fake is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import argparse

    from fake_crm.local_api import LocalApi

__all__ = ["Door", "add_common_options", "common_options", "order_faults"]


class Door(Protocol):
    """One CRM on the command line: a module `serving` in its package."""

    def add_options(self, serve: argparse.ArgumentParser) -> None:
        """Add what only this CRM takes."""

    def made(self, options: argparse.Namespace) -> LocalApi:
        """The fake as ordered; ValueError says what is wrong with the order."""


def add_common_options(serve: argparse.ArgumentParser) -> None:
    """What every fake takes."""
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.add_argument("--url-file", type=Path, metavar="PATH", help="write the address there when it answers")
    serve.add_argument("--seed", type=int, default=1)
    serve.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="of every answer")
    serve.add_argument("--clock", metavar="INSTANT", help="where its clock starts; default now")
    serve.add_argument("--frozen", action="store_true", help="the clock stands until it is moved")
    serve.add_argument("--faults", type=Path, metavar="JSON", help="a list of faults to begin with")


def common_options(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments that every fake's class takes."""
    return {name: getattr(options, name) for name in ("port", "seed", "latency", "clock", "frozen")}


def order_faults(api: LocalApi, options: argparse.Namespace) -> None:
    """Order the faults of `--faults`."""
    for fault in _faults(options.faults) if options.faults else []:
        api.faults.add(**fault)


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
