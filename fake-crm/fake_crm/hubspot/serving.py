"""`fake-crm serve hubspot`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fake_crm.hubspot.fake import FakeCrm
from fake_crm.hubspot.kinds import STANDARD
from fake_crm.hubspot.limits import TIERS, Limits
from fake_crm.hubspot.world_file import quick_world, read_world
from fake_crm.hubspot.world_load import load
from fake_crm.serving import common_options, order_faults

__all__ = ["SIZES", "add_options", "made"]

SIZES = (("contacts", 100), ("companies", 20), ("deals", 30), ("tickets", 10))


def add_options(serve: argparse.ArgumentParser) -> None:
    """Add what only HubSpot takes."""
    serve.add_argument("--token", action="append", help="a token to accept (repeatable); default test-token")
    for name, default in SIZES:
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
    serve.add_argument("--search-lag", type=float, default=0.0, metavar="SECONDS", help="until writes are searchable")
    serve.add_argument("--ignore-unknown-query", action="store_true", help="answer in spite of unknown URL parameters")


def made(options: argparse.Namespace) -> FakeCrm:
    """The fake as ordered."""
    files = options.world or options.load
    sizes: dict[str, Any] = {name: 0 if files else default for name, default in SIZES}
    sizes |= {name: getattr(options, name) for name, _ in SIZES if getattr(options, name) is not None}
    crm = FakeCrm(
        **common_options(options),
        **sizes,
        objects=dict(options.object),
        properties=options.properties,
        limits=_limits(options),
        search_lag=options.search_lag,
        tokens=options.token or ("test-token",),
    )
    try:
        _fill(crm, options)
    except ValueError:
        crm.stop()
        raise
    return crm


def _fill(crm: FakeCrm, options: argparse.Namespace) -> None:
    crm.quirks.ignore_unknown_query = options.ignore_unknown_query
    order_faults(crm, options)
    if options.world:
        load(crm.hubspot, read_world(options.world))
    if options.load:
        load(crm.hubspot, quick_world(options.load, Path(), options.date_format))


def _size(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in {kind.name for kind in STANDARD} or not count.isdecimal():
        raise argparse.ArgumentTypeError(f"write it like orders=20, with the name of an object type, not {text!r}")
    return name, int(count)


def _limits(options: argparse.Namespace) -> Limits | None:
    base = TIERS[options.tier] if options.tier else Limits()
    own = {name: getattr(options, f"{name}_limit") for name in ("burst", "search", "daily")}
    given = {name: value for name, value in own.items() if value is not None}
    parts = {"burst": base.burst, "search": base.search, "daily": base.daily, "associations": base.associations}
    return Limits(**{**parts, **given})
