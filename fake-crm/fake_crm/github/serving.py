"""`fake-crm serve github`."""

from __future__ import annotations

import argparse
from pathlib import Path

from fake_crm.github.fake import FakeGitHub
from fake_crm.github.limits import RateLimits
from fake_crm.serving import common_options, order_faults

__all__ = ["add_options", "made"]


def add_options(serve: argparse.ArgumentParser) -> None:
    """Add what only GitHub takes."""
    serve.add_argument("--token", action="append", help="a token to accept (repeatable); default test-token")
    serve.add_argument(
        "--repository",
        action="append",
        type=_folder,
        default=[],
        metavar="OWNER/NAME=FOLDER",
        help="a repository with the files of a folder as its first commit (repeatable)",
    )
    serve.add_argument("--hourly-limit", type=int, metavar="N", help="calls in an hour with a token; default none")
    serve.add_argument("--anonymous-limit", type=int, metavar="N", help="calls in an hour without; default none")


def made(options: argparse.Namespace) -> FakeGitHub:
    """The fake as ordered."""
    github = FakeGitHub(
        **common_options(options),
        tokens=options.token or ("test-token",),
        limits=RateLimits(options.hourly_limit, options.anonymous_limit),
    )
    order_faults(github, options)
    for name, folder in options.repository:
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        github.repository(name, {path.relative_to(folder).as_posix(): path.read_bytes() for path in files})
    return github


def _folder(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if name.count("/") != 1 or not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"write it like acme/crm=./data, with a folder that exists, not {text!r}")
    return name, Path(folder)
