"""One entry of the setting `files`: where files are, which of them, what stream they make, how they are read."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_csv_github.patterns import matches
from tap_csv_github.reading.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_csv_github.reading.values import Kind

__all__ = ["Entry", "Reading", "entry_faults", "named_after", "shown"]

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_PLACES = ("repository", "location")


@dataclass(frozen=True)
class Reading:
    """How the files of an entry are read; None where the file itself is to tell."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    columns: tuple[str, ...] = ()
    skip_lines: int = 0
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    infer_types: bool = False
    null_values: frozenset[str] = frozenset()
    long_rows: str = "keep"
    short_rows: str = "pad"
    bad_quotes: str = "reject"
    bad_bytes: str = "cp1252"
    bad_values: str = "reject"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Reading:
        """The reading that an entry asks for."""
        policies = ("long_rows", "short_rows", "bad_quotes", "bad_bytes", "bad_values")
        return cls(
            encoding=given.get("encoding"),
            delimiter=_unescaped(given.get("delimiter")),
            quote=given.get("quotechar"),
            escape=given.get("escapechar"),
            columns=tuple(given.get("columns") or ()),
            skip_lines=int(given.get("skip_lines") or 0),
            kinds={name: kind_of(spec) for name, spec in (given.get("types") or {}).items()},
            infer_types=bool(given.get("infer_types")),
            null_values=frozenset(given.get("null_values") or ()),
            **{name: given[name] for name in policies if given.get(name)},
        )


def _unescaped(delimiter: str | None) -> str | None:
    """A tab may be written as backslash and t, for it is hard to type into an environment variable."""
    return "\t" if delimiter == "\\t" else delimiter


@dataclass(frozen=True)
class Entry:
    """One entry; `stream_name` None: every file makes a stream that is called as the file is."""

    path: str
    exclude: str | None = None
    repository: str | None = None
    ref: str | None = None
    release: str | None = None
    location: str | None = None
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    stream_name: str | None = None
    keys: tuple[str, ...] = ()
    replication_key: str | None = None
    shares_keys: bool = True
    reading: Reading = field(default_factory=Reading)
    fingerprint: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Entry:
        """The entry of the settings."""
        telling = {name: value for name, value in given.items() if name not in {"storage_options", "stream_name"}}
        return cls(
            path=str(given.get("path") or "**/*.csv"),
            exclude=given.get("exclude"),
            repository=given.get("repository"),
            ref=given.get("ref"),
            release=given.get("release"),
            location=given.get("location"),
            storage_options=dict(given.get("storage_options") or {}),
            stream_name=given.get("stream_name"),
            keys=tuple(given.get("key_properties") or ()),
            replication_key=given.get("replication_key"),
            shares_keys=given.get("shared_keys", True) is not False,
            reading=Reading.of(given),
            fingerprint=hashlib.sha256(json.dumps(telling, sort_keys=True, default=str).encode()).hexdigest()[:16],
        )

    @property
    def place(self) -> tuple[str, ...]:
        """What tells one source from another."""
        return (self.repository or "", self.ref or "", self.release or "", self.location or "")

    def takes(self, path: str) -> bool:
        """Whether a file belongs to this entry; a location that is a file is meant by itself."""
        if shown(self.location or "").endswith(f"/{path}"):
            return True
        return matches(self.path, path) and not (self.exclude and matches(self.exclude, path))

    def stream_of(self, path: str) -> str:
        """The stream that a file's rows go into."""
        return self.stream_name or named_after(path)


def shown(location: str) -> str:
    """The location without what may be secret in a URL."""
    if "://" not in location:
        return location
    return re.sub(r"://[^/@]*@", "://", location.partition("?")[0])


def named_after(path: str) -> str:
    """The name of a file without folders and without what says its format, in plain characters."""
    name = path.rpartition("/")[2]
    stem = re.sub(r"(?i)\.(csv|tsv|tab|txt|psv)?(\.(gz|gzip|zip))?$", "", name)
    return re.sub(r"\W+", "_", stem).strip("_").lower() or "file"


def entry_faults(number: int, given: Mapping[str, Any]) -> Iterator[str]:
    """What a schema cannot say of an entry."""
    here = f"files.{number}"
    places = [name for name in _PLACES if given.get(name)]
    if len(places) != 1:
        yield f"{here}: give either repository (owner/name) or location (a folder or URL)"
    if given.get("repository") and not _REPOSITORY.fullmatch(given["repository"]):
        yield f"{here}.repository: must be owner/name, as in acme/crm-exports"
    if given.get("location"):
        yield from (f"{here}.{name}: is for a repository only" for name in ("ref", "release") if given.get(name))
    if given.get("ref") and given.get("release"):
        yield f"{here}.release: give either this or ref"
    if given.get("replication_key") and not given.get("key_properties"):
        yield f"{here}.replication_key: needs key_properties too, so that a changed row replaces the old one"
    for column, spec in (given.get("types") or {}).items():
        try:
            kind_of(str(spec))
        except ValueError as error:
            yield f"{here}.types.{column}: {error}"
    try:
        codecs.lookup(given.get("encoding") or "utf-8").incrementaldecoder  # noqa: B018 - bytes-to-bytes codecs lack it
    except LookupError:
        yield f"{here}.encoding: Python knows no such encoding"
