"""The file given by --config: read with plain errors, and closed to other users."""

from __future__ import annotations

import functools
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

__all__ = ["guard_config_option", "protect"]

_FROM_ENVIRONMENT = "ENV"


def guard_config_option(command: click.Command) -> None:
    """Make the command's `--config` refuse a missing or broken file plainly, and close it to others."""
    for parameter in command.params:
        if parameter.name == "config" and parameter.callback is not None:
            parameter.callback = _guarded(parameter.callback)


def _guarded(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    def read(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> Any:
        for name in value:
            if name != _FROM_ENVIRONMENT:
                _check(Path(name))
        try:
            return callback(context, parameter, value)
        except (ValueError, TypeError):
            # no chaining: the parser's error holds the text of the file, secrets included
            raise ConfigError(f"{', '.join(value)} is not a JSON object; correct the file") from None

    return read


def _check(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"config file {path} was not found; check the path given to --config")
    protect(path)


def protect(path: Path) -> None:
    """Take a world-readable file away from others (0600) if it is ours, and say so; else only warn.

    Meltano writes plugin configurations, secrets included, with mode 0644 (meltano #6065).
    """
    status = path.stat()
    if not status.st_mode & stat.S_IROTH:
        return
    logger = logging.getLogger(__name__)
    try:
        if status.st_uid != os.getuid():
            raise PermissionError  # root could, but the file is another user's
        path.chmod(0o600)
    except OSError:
        logger.warning("%s holds settings and is readable by every user of this machine; close it (chmod 600)", path)
    else:
        logger.warning("%s was readable by every user of this machine; its mode is now 0600", path)
