"""`fake-crm serve pipedrive`."""

from __future__ import annotations

import argparse

from fake_crm.pipedrive.fake import FakePipedrive
from fake_crm.pipedrive.limits import PLANS, Limits
from fake_crm.pipedrive.seed import SIZES
from fake_crm.serving import common_options, order_faults

__all__ = ["add_options", "made"]


def add_options(serve: argparse.ArgumentParser) -> None:
    """Add what only Pipedrive takes."""
    serve.add_argument("--token", action="append", help="an API token to accept (repeatable); default test-token")
    serve.add_argument(
        "--size", action="append", type=_size, default=[], metavar="TABLE=N", help="made-up rows, such as deals=2000"
    )
    serve.add_argument(
        "--fields", type=int, default=16, metavar="N", help="own fields of deals, persons, …; default 16"
    )
    serve.add_argument("--plan", choices=sorted(PLANS), help="limits of this plan with one seat; default none")
    serve.add_argument("--daily-limit", type=int, metavar="N", help="tokens a day, above all else")
    serve.add_argument("--burst-limit", type=int, metavar="N", help="requests in two seconds, above all else")


def made(options: argparse.Namespace) -> FakePipedrive:
    """The fake as ordered."""
    crm = FakePipedrive(
        **common_options(options),
        sizes=dict(options.size),
        fields=options.fields,
        limits=_limits(options),
        tokens=options.token or ("test-token",),
    )
    try:
        order_faults(crm, options)
    except ValueError:
        crm.stop()
        raise
    return crm


def _limits(options: argparse.Namespace) -> Limits:
    base = PLANS[options.plan] if options.plan else Limits()
    daily = base.daily if options.daily_limit is None else options.daily_limit
    burst = base.burst if options.burst_limit is None else options.burst_limit
    return Limits(daily, burst, base.abuse)


def _size(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in SIZES or not count.isdecimal():
        raise argparse.ArgumentTypeError(f"write it like deals=2000, with one of {', '.join(SIZES)}")
    return name, int(count)
