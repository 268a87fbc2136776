"""What can be wrong with one file, and what the stream does next."""

from __future__ import annotations

from crmdb_core.exceptions import CrmdbError

__all__ = ["FileError", "VersionGoneError"]


class FileError(CrmdbError):
    """A file cannot be read; the others can. The message holds its path, never what is in it."""


class VersionGoneError(CrmdbError):
    """An earlier version of a file is not to be had any more, so that nobody can say which of its rows vanished."""
