"""tap-csv-github: its settings, its sessions, its sources, its list of streams."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from crmdb_core import redaction
from crmdb_core.exceptions import NotFoundError
from crmdb_core.http import ApiSession, RetryPolicy
from crmdb_core.pacing import Budget, Pacer
from crmdb_core.quota import Quota
from crmdb_core.tap import CrmTap
from tap_csv_github.auth import AppAuth, GitAuth, InstallationAuth, TokenAuth, private_key
from tap_csv_github.client import GitHubSession, git_root
from tap_csv_github.contents import Contents
from tap_csv_github.discovery import schema_of, specs
from tap_csv_github.entries import Entry, named_after
from tap_csv_github.judge import Judge, hourly_use
from tap_csv_github.progress import FileState
from tap_csv_github.rejects import RejectsStream
from tap_csv_github.settings import access_faults, files_faults, settings
from tap_csv_github.sources.folder import FolderSource
from tap_csv_github.sources.github import RepositorySource
from tap_csv_github.sources.lfs import LfsStore
from tap_csv_github.sources.release import ReleaseSource
from tap_csv_github.sources.source import Known
from tap_csv_github.streams import CsvStream
from tap_csv_github.writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests

    from crmdb_core.stream import CrmStream
    from tap_csv_github.sources.source import Listing, Source
    from tap_csv_github.spec import Spec

__all__ = ["TapCsvGithub"]

# Docs, "Rate limits for the REST API": 900 points a minute, a GET is one; some room for clocks that differ.
_MINUTE = Budget(900, 60.5)


class TapCsvGithub(CrmTap):
    """Reads CSV files from GitHub repositories, release files and folders."""

    name = "tap-csv-github"
    package_name = "crmdb-tap-csv-github"
    config_jsonschema: ClassVar[dict[str, Any]] = settings()
    dynamic_catalog = True  # discovery looks into files
    numbers_are_finite = True  # see `reading.values`
    message_writer_class = LineWriter
    streams_ahead = 8  # times `concurrency` files may wait for their turn, the larger ones on disk

    def __init__(self, *args: Any, state: Any = None, **kwargs: Any) -> None:
        self._given: dict[str, Any] = state if isinstance(state, dict) else {}  # discovery comes before it is loaded
        super().__init__(*args, state=state, **kwargs)

    @override
    def config_faults(self) -> list[str]:
        return [*access_faults(self.config), *files_faults(self.config)]

    # sessions

    @override
    def open_session(self) -> ApiSession:
        return self.github

    @cached_property
    def judge(self) -> Judge:
        """What reads GitHub's refusals."""
        return Judge()

    @cached_property
    def github(self) -> GitHubSession:
        """The session of the API."""
        quota = Quota(
            hourly_use,
            share=float(self.config["max_hourly_share"]),
            name="GitHub's hourly limit",
            setting="max_hourly_share",
            resets=self.judge.resets,
        )
        session = self._session(self.config["api_url"], self.auth, judge=self.judge, quota=quota)
        session.headers.update(self._headers)
        self.judge.now = session.server_now
        return session

    @property
    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": self.config["api_version"]}

    @cached_property
    def auth(self) -> TokenAuth | InstallationAuth | None:
        """Whichever way of access the settings give; `config_faults` has seen that it is one at most."""
        if self.config.get("auth_token"):
            return TokenAuth(self.config["auth_token"])
        if not self.config.get("app_id"):
            return None
        key = private_key(self.config["app_private_key"])
        app = AppAuth(self.config["app_id"], key)
        session = self._session(self.config["api_url"], app, judge=Judge())
        app.now = session.server_now
        session.headers.update(self._headers)
        return InstallationAuth(session, self.config["app_installation_id"], session.server_now)

    def _session(self, url: str, auth: requests.auth.AuthBase | None, **options: Any) -> GitHubSession:
        rate = self.config.get("rate_limit")
        slots = int(self.config["concurrency"])
        return GitHubSession(
            api_url=url,
            auth=auth,
            slots=slots,
            pacer=Pacer({"default": _MINUTE}, rate_limit=None if rate is None else float(rate), sleep=self.rest),
            sleep=self.rest,
            retry=RetryPolicy(attempts=int(self.config["retry_attempts"])),
            timeout=float(self.config["timeout"]),
            user_agent=f"{self.name}/{self.plugin_version}",
            connections=slots,
            **options,
        )

    @cached_property
    def lfs(self) -> LfsStore:
        """Where LFS pointers are resolved."""
        stores: dict[str, GitHubSession] = {}

        def storage(url: str) -> GitHubSession:
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
            return stores.setdefault(origin, self._session(origin, None))

        return LfsStore(lambda: self._git, storage)

    @cached_property
    def _git(self) -> GitHubSession:
        auth = self.auth
        basic = None if auth is None else GitAuth(auth)
        return self._session(git_root(self.config["api_url"]), basic, judge=Judge())

    # sources

    @cached_property
    def entries(self) -> list[Entry]:
        """The setting `files`."""
        entries = [Entry.of(given) for given in self.config["files"]]
        redaction.register(*(str(value) for entry in entries for value in _leaves(entry.storage_options)))
        redaction.register(*(value for entry in entries for value in _secrets_of(entry.location or "")))
        return entries

    @cached_property
    def contents(self) -> Contents:
        """By way of which files are read."""
        return Contents()

    @cached_property
    def _sources(self) -> dict[tuple[str, ...], Source]:
        return {}

    def source_of(self, entry: Entry) -> Source:
        """The source of an entry; entries of the same place share one."""
        if entry.place not in self._sources:
            self._sources[entry.place] = self._opened(entry)
        return self._sources[entry.place]

    def _opened(self, entry: Entry) -> Source:
        if entry.location:
            return FolderSource(entry.location, entry.storage_options)
        assert entry.repository is not None
        if entry.release:
            return ReleaseSource(self.github, entry.repository, entry.release)
        return RepositorySource(self.github, self.lfs, entry.repository, entry.ref)

    @cached_property
    def _listings(self) -> dict[str, Listing]:
        return {}

    def listing(self, source: Source) -> Listing:
        """The files of a source, listed once in a run."""
        if source.label not in self._listings:
            self._listings[source.label] = source.listing(self._known(source))
        return self._listings[source.label]

    # state

    def head_of(self, source: Source) -> dict[str, str]:
        """What a stream's state keeps of a source that was read whole."""
        listing = self.listing(source)
        # what this run did not read must not look unchanged to a later one that would
        if source.label not in self._whole:
            self._whole[source.label] = self._reads_all_of(source, listing)
        etag = listing.etag if self._whole[source.label] else ""
        told = {"etag": etag, "commit": listing.commit, "time": listing.commit_time}
        return {**told, "entries": self._entries_of(source)}

    @cached_property
    def _whole(self) -> dict[str, bool]:
        return {}

    def _reads_all_of(self, source: Source, listing: Listing) -> bool:
        """Whether every stream that a file makes by its own name is read by this run."""
        entries = [each for each in self.entries if not each.stream_name and self.source_of(each) is source]
        names = {named_after(path) for each in entries for path in listing.files if each.takes(path)}
        return names <= {stream.name for stream in self.selected_streams}

    def _entries_of(self, source: Source) -> str:
        """What changes when the entries of a source do: other files may belong to it then."""
        texts = [f"{each.fingerprint}/{each.stream_name}" for each in self.entries if self.source_of(each) is source]
        return hashlib.sha256("|".join(texts).encode()).hexdigest()[:16]

    def _known(self, source: Source) -> Known | None:
        """What the state knows of a source, if all streams of it were read up to the same commit by these settings."""
        if self.config.get("full_refresh"):
            return None
        heads: set[tuple[str, ...]] = set()
        files: dict[str, str] = {}
        told: set[str] = set()
        for name, state in self._bookmarks():
            paths = _below(state, "files", source.label)
            if paths is None:
                continue
            head = _below(state, "heads", source.label) or {}
            heads.add(tuple(str(head.get(each) or "") for each in ("etag", "commit", "time", "entries")))
            files.update({path: FileState.of(each).version_of(source) for path, each in paths.items()})
            told.add(name)
        wanted = {each.stream_name for each in self.entries if each.stream_name and self.source_of(each) is source}
        if len(heads) != 1 or not {each for each in wanted if self._is_wanted(each)} <= told:
            return None
        etag, commit, time, entries = heads.pop()
        if not etag or entries != self._entries_of(source) or not all(files.values()):
            return None
        return Known(etag, commit, time, files)

    def _bookmarks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        bookmarks = self._given.get("bookmarks") or {}
        yield from ((name, state) for name, state in bookmarks.items() if isinstance(state, dict))

    def _is_wanted(self, name: str) -> bool:
        if self.input_catalog is None:
            return True
        entry = self.input_catalog.get(name)
        return entry is not None and entry.metadata.resolve_selection()[()]

    def paths_in_state(self, source: Source) -> list[str]:
        """The files of a source that earlier runs read, gone ones too: their stream has to tell that."""
        return [path for _, state in self._bookmarks() for path in _below(state, "files", source.label) or ()]

    # streams

    @override
    def probe(self) -> None:
        if not any(entry.repository for entry in self.entries):
            return
        try:
            self.session.get_json("rate_limit")  # free
        except NotFoundError:
            self.logger.debug("this server has no rate limits; its answer told the time all the same")

    @override
    def account_facts(self) -> dict[str, str]:
        kinds = {TokenAuth: "token", InstallationAuth: "GitHub App"}
        return {"access": "none" if self.auth is None else kinds[type(self.auth)], "api_url": self.config["api_url"]}

    @cached_property
    def rejects(self) -> RejectsStream:
        """Where refused rows go."""
        return RejectsStream(self)

    @override
    def discover_streams(self) -> Sequence[CrmStream]:
        if self.input_catalog is None:
            self.probe()  # bad credentials are met by one call
        found: list[CrmStream] = []
        for spec in specs(self):
            stream = self._stream(spec)
            if stream is not None:
                found.append(stream)
        return [*found, self.rejects]

    def _stream(self, spec: Spec) -> CsvStream | None:
        entry = None if self.input_catalog is None else self.input_catalog.get(spec.name)
        if entry is not None:
            return CsvStream(self, spec, entry.schema.to_dict())
        if self.input_catalog is not None:
            return None  # nobody has chosen it
        try:
            return CsvStream(self, spec, schema_of(self, spec))
        except Exception as error:
            if getattr(error, "stops_run", False):
                raise
            self.leave_out(spec.name, error)
            return None


def _leaves(value: Any) -> Iterator[str]:
    """The texts in an object, at any depth."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, str):
        yield value


def _secrets_of(location: str) -> Iterator[str]:
    """What must not be told of a URL: its password, and the values of its query, which may be a signature."""
    if "://" in location:
        parts = urlsplit(location)
        yield from (parts.password or "", parts.query, *(value for _, value in parse_qsl(parts.query)))


def _below(state: dict[str, Any], *names: str) -> dict[str, Any] | None:
    """What stands below these names in a state; None where that is not what a run of ours wrote."""
    found: Any = state
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None
