"""How a plugin ends: exit codes, signals, and one plain error line per failure."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from singer_sdk.exceptions import ConfigurationError, ConfigValidationError, DiscoveryError, MappingError
from singer_sdk.plugin_base import SingerCommand

from crmdb_core import redaction, stderr
from crmdb_core.config_file import guard_config_option
from crmdb_core.exceptions import ConfigError, CrmdbError, ExitCode, Terminated, TryLaterError, one_line
from crmdb_core.signals import SignalGate, critical, install_signals
from crmdb_core.spelling import explain_validation

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ConfigError",
    "CrmdbError",
    "ExitCode",
    "SignalGate",
    "Terminated",
    "TryLaterError",
    "critical",
    "describe",
    "install_signals",
    "run",
]


def run(command: click.Command, *, name: str, args: Sequence[str] | None = None) -> NoReturn:
    """Run a plugin's click command as its console script and exit.

    Every failure is one plain, redacted line on stderr; a traceback (of places, not values) only at log level DEBUG.
    A wrong command line counts as configuration: 78, where click itself would say 2.
    """
    stderr.install()
    redaction.install()
    install_signals()
    _leave(_outcome(command, name, args))


def _outcome(command: click.Command, name: str, args: Sequence[str] | None) -> int:
    logger = logging.getLogger(name)
    try:
        return _invoke(command, name, args)
    except (Terminated, KeyboardInterrupt) as stop:
        logger.warning("%s", stop or "stopped by SIGINT")
        return stop.exit_code if isinstance(stop, Terminated) else ExitCode.SIGINT
    except Exception as error:  # noqa: BLE001 - the one place where every failure becomes a line and a code
        code = exit_code_of(error)
        # the code is said too: Meltano ends with 1 whatever it was, and shows it only in its other log formats
        logger.error("%s (exit code %d)", describe(error), code)  # noqa: TRY400 - the traceback is for DEBUG only
        logger.debug("where it happened:\n%s", places(error))
        return code


def _invoke(command: click.Command, name: str, args: Sequence[str] | None) -> int:
    """Do what `command.main` does, but let every error pass on to `_outcome`."""
    logging.captureWarnings(capture=True)
    warnings.filterwarnings("once", category=DeprecationWarning)
    guard_config_option(command)
    try:
        with command.make_context(name, list(sys.argv[1:] if args is None else args)) as context:
            if isinstance(command, SingerCommand):
                click.Command.invoke(command, context)  # its own `invoke` would log a wrong configuration and exit 1
            else:
                command.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except SystemExit as leaving:
        return _status(leaving.code)
    return ExitCode.OK


def _status(code: object) -> int:
    if code is None:
        return ExitCode.OK
    return code if isinstance(code, int) else ExitCode.FAILED


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that a failure asks for."""
    if isinstance(error, CrmdbError):
        return error.exit_code
    if isinstance(error, (ConfigurationError, click.ClickException)):
        return ExitCode.CONFIG
    return ExitCode.FAILED


def describe(error: BaseException) -> str:
    """One plain line for a failure. Text of foreign errors is left out where it may quote a record's values."""
    if isinstance(error, ConfigValidationError):
        return one_line(explain_validation(error.errors, error.schema or {}))
    if isinstance(error, click.ClickException):
        return one_line([error.format_message(), "see --help"])
    if isinstance(error, (CrmdbError, ConfigurationError, DiscoveryError, MappingError)):
        return one_line([str(error) or type(error).__name__])
    if isinstance(error, OSError) and error.strerror:
        return one_line([": ".join(part for part in (str(error.filename or ""), error.strerror) if part)])
    return f"unexpected {type(error).__name__} at {_place(error)}; run again with `debug: true` to see where"


def places(error: BaseException) -> str:
    """The traceback of an error and its causes without messages: a foreign message may quote values."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        parts.append("".join(traceback.format_tb(seen.__traceback__)) + type(seen).__qualname__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\ncaused by\n".join(parts)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    last = frames[-1]
    return f"{Path(last.filename).name}:{last.lineno} ({last.name})"


def _leave(code: int) -> NoReturn:
    """Flush what is left and exit; a reader that is gone makes an otherwise good end a failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # the interpreter would flush once more at its end and print a second complaint
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or ExitCode.FAILED
    if isinstance(sys.stderr, stderr.PatientError):
        sys.stderr.drain()
    sys.exit(int(code))
