"""`fake-crm serve salesforce`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fake_crm.salesforce.catalog import objects
from fake_crm.salesforce.fake import FakeSalesforce
from fake_crm.salesforce.limits import Limits
from fake_crm.salesforce.quirks import Quirks
from fake_crm.serving import common_options, order_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add_options", "made"]

_LIMITS = (
    ("api-requests", "API calls"),
    ("bulk-jobs", "Bulk query jobs"),
    ("bulk-megabytes", "megabytes of Bulk results"),
)


def add_options(serve: argparse.ArgumentParser) -> None:
    """Add what only Salesforce takes."""
    serve.add_argument("--token", action="append", default=[], help="an access token to accept (repeatable)")
    serve.add_argument("--empty", action="store_true", help="only the records that --object and --stretch name")
    serve.add_argument(
        "--object", action="append", type=_size, default=[], metavar="NAME=N", help="made-up records of an object"
    )
    serve.add_argument(
        "--stretch",
        action="append",
        type=_size,
        default=[],
        metavar="NAME=N",
        help="the same, made up whenever they are looked at: a million takes no memory",
    )
    serve.add_argument("--extra-objects", type=int, default=0, metavar="N", help="custom objects")
    serve.add_argument("--extra-records", type=int, default=2, metavar="N", help="records of each of those")
    serve.add_argument("--extra-fields", type=int, default=0, metavar="N", help="custom fields of the main objects")
    for name, what in _LIMITS:
        serve.add_argument(f"--{name}", type=int, metavar="N", help=f"{what} in 24 hours")
    serve.add_argument("--rotate-refresh-tokens", action="store_true", help="each refresh token is good once")
    serve.add_argument("--old-limit-header", action="store_true", help="without its second part, api-bursts")
    serve.add_argument("--bulk-seconds", type=float, default=0.0, metavar="S", help="a Bulk job runs so long")


def made(options: argparse.Namespace) -> FakeSalesforce:
    """The fake as ordered."""
    given = {name.replace("-", "_"): getattr(options, name.replace("-", "_")) for name, _ in _LIMITS}
    quirks = Quirks(
        rotate_refresh_tokens=options.rotate_refresh_tokens,
        bursts=not options.old_limit_header,
        bulk_seconds=options.bulk_seconds,
    )
    fake = FakeSalesforce(
        **common_options(options),
        empty=options.empty,
        sizes=dict(options.object),
        stretch=dict(options.stretch),
        extra_objects=options.extra_objects,
        extra_records=options.extra_records,
        extra_fields=options.extra_fields,
        limits=Limits(**{name: value for name, value in given.items() if value is not None}),
        quirks=quirks,
    )
    _accept(fake, options.token)
    try:
        order_faults(fake, options)
    except ValueError:
        fake.stop()
        raise
    return fake


def _accept(fake: FakeSalesforce, tokens: Sequence[str]) -> None:
    for token in tokens:
        fake.access.allow(token)


def _size(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in {kind.name for kind in objects()} or not count.isdecimal():
        raise argparse.ArgumentTypeError(f"write it like Account=20, with the name of an object, not {text!r}")
    return name, int(count)
