"""What every tap of ours does: check settings, read windows, write STATE, end honestly."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from abc import abstractmethod
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from dotenv import find_dotenv, load_dotenv
from singer_sdk.exceptions import SyncLifecycleSignal
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from crmdb_core import redaction
from crmdb_core.command_line import InspectableTap
from crmdb_core.concurrency import Room
from crmdb_core.exceptions import ConfigError, ForbiddenError, OutputClosedError, SyncFailedError
from crmdb_core.exits import describe, places
from crmdb_core.http import ApiSession
from crmdb_core.messages import BufferedWriter
from crmdb_core.pacing import Budget, Pacer
from crmdb_core.retry import RetryPolicy, Verdict
from crmdb_core.settings import faults_of, from_environment, misspelt_variables
from crmdb_core.signals import install_signals
from crmdb_core.stream import CrmStream
from crmdb_core.window import ReadWindow, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import requests
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from crmdb_core.quota import Quota

__all__ = ["CrmTap"]

_LONG_PAUSE = 1.0
_BYTES_AHEAD = 32 * 1024 * 1024


class CrmTap(InspectableTap):
    """A tap whose streams are `CrmStream`s; a subclass gives settings, `open_session()` and `discover_streams()`.

    A stream that fails is reported and the others are still read; the run then ends with exit code 1. An error that
    would hit every stream (credentials, quota, no network) ends the run at once. STATE is written every few seconds
    of work, at the end, and on SIGTERM, and carries `run`: expected records, calls and waits per stream.
    """

    message_writer_class = BufferedWriter
    state_seconds: ClassVar[float] = 5.0
    """The longest work without a STATE message."""
    numbers_are_finite: ClassVar[bool] = False
    """Whether no decimal of this tap's records is NaN or infinite; stream maps may make some."""
    streams_ahead: ClassVar[int] = 3
    """How many streams are fetched ahead of their turn."""
    cost_at_start: ClassVar[int] = 1
    """What `probe()` takes from the quota."""

    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.failures: dict[str, Exception] = {}
        self.left_out: dict[str, Exception] = {}
        self._syncing = False
        self._emitted_at_state = 0
        self._status = "running"
        self._state_due_at = time.monotonic() + self.state_seconds
        self._reads_environment = bool(kwargs.get("parse_env_config"))
        super().__init__(*args, **kwargs)

    # what a tap gives

    @abstractmethod
    def open_session(self) -> ApiSession:
        """Make the session of this tap; `new_session` fills in the common settings."""

    def config_faults(self) -> list[str]:
        """Faults of the settings that a schema cannot express (contradictions), in plain words."""
        return []

    def probe(self) -> None:
        """Make one cheap call, so that the server's clock is known before the first window is made."""

    # what a tap may use

    @cached_property
    def room_ahead(self) -> Room:
        """How many bytes of unread pages all streams may hold beside the few pages that each may have."""
        return Room(_BYTES_AHEAD)

    @cached_property
    def session(self) -> ApiSession:
        """The one HTTP session of all streams."""
        return self.open_session()

    def new_session(
        self,
        *,
        api_url: str,
        auth: requests.auth.AuthBase | None = None,
        budgets: Mapping[str, Budget] | None = None,
        judge: Callable[[requests.Response], Verdict | None] | None = None,
        quota: Quota | None = None,
        **options: Any,
    ) -> ApiSession:
        """A session with this configuration's timeout, retries and rate limit."""
        rate = self.config.get("rate_limit")
        return ApiSession(
            api_url=api_url,
            auth=auth,
            pacer=Pacer(budgets, rate_limit=None if rate is None else float(rate), sleep=self.rest),
            sleep=self.rest,
            retry=RetryPolicy(attempts=int(self.config["retry_attempts"])),
            timeout=float(self.config["timeout"]),
            user_agent=f"{self.name}/{self.plugin_version}",
            judge=judge,
            quota=quota,
            **options,
        )

    def leave_out(self, name: str, error: Exception) -> None:
        """Let discovery go on without a stream that may not be read; a run fails at its end as if it had tried it."""
        self.left_out[name] = error
        self._take_failure(name, error)

    def has_to_be_readable(self, name: str) -> bool:  # noqa: ARG002 - for taps that offer more than most keys open
        """Whether the run fails where this stream is forbidden; without a catalog a tap may want only the main ones."""
        return True

    def _take_failure(self, name: str, error: Exception) -> None:
        """Note what the run fails with at its end; what may not be read is no failure if `skip_forbidden` is set."""
        if isinstance(error, ForbiddenError) and self.config.get("skip_forbidden"):
            self.logger.warning("%s is skipped, as skip_forbidden says: %s", name, describe(error))
            return
        if isinstance(error, ForbiddenError) and not self.has_to_be_readable(name):
            self.logger.warning("%s is left out, which nobody has chosen: %s", name, describe(error))
            return
        self.failures[name] = error
        self.logger.error("%s: %s", name, describe(error))

    def rest(self, seconds: float) -> None:
        """Sleep; before a longer pause, hand over what was read so far instead of keeping it in the buffer."""
        if seconds >= _LONG_PAUSE and threading.current_thread() is threading.main_thread():
            self.write_state_if_idle()
        time.sleep(seconds)

    def fetch_ahead_of(self, stream: CrmStream) -> None:
        """Begin to fetch the selected streams that come next, so that their pages wait when it is their turn."""
        if self.max_records is not None or not self._syncing:
            return
        chosen = self.selected_streams
        place = chosen.index(stream) + 1 if stream in chosen else 0
        for each in chosen[place : place + self.streams_ahead]:
            if each.can_run_ahead:
                each.begin_fetching()

    @property
    def is_syncing(self) -> bool:
        """Whether a run is under way, rather than a look at what one would do."""
        return self._syncing

    def _crm_streams(self) -> list[CrmStream]:
        return [stream for stream in (self._streams or {}).values() if isinstance(stream, CrmStream)]

    @property
    def selected_streams(self) -> list[CrmStream]:
        """The streams that a run reads, in its order; discovered here if they are not yet."""
        return [stream for stream in self.streams.values() if isinstance(stream, CrmStream) and stream.selected]

    @property
    def max_records(self) -> int | None:
        """The most records per stream, if limited."""
        return self.config.get("max_records")

    @property
    def activates_versions(self) -> bool:
        """Whether ACTIVATE_VERSION is wanted and this run may send it: not with `since` or `max_records`."""
        limited = self.config.get("since") is not None or self.max_records is not None
        return bool(self.config.get("emit_activate_version_messages")) and not limited

    def resolve_window(self, bookmark: Any, *, full_table: bool) -> ReadWindow:
        """The window of a stream by its bookmark, the settings and the server's clock."""
        return resolve(
            now=self.windows_end(),
            bookmark=bookmark,
            since=self.config.get("since"),
            full_refresh=bool(self.config.get("full_refresh")),
            start_date=None if full_table else self.config.get("start_date"),
            lookback=timedelta(seconds=int(self.config["lookback"])),
            hold_back=timedelta(seconds=int(self.config["hold_back"])),
        )

    def windows_end(self) -> datetime:
        """The server's time by which windows end, before `hold_back`."""
        if not self.session.clock_is_known:
            self.probe()
        return self.session.server_now()

    # state

    def write_state(self) -> None:
        """Write STATE as it stands: true for everything emitted so far."""
        self._tap_state["run"] = self._run_information()
        self.state_writer.write_state(self.state)
        self._state_due_at = time.monotonic() + self.state_seconds
        self._emitted_at_state = self._emitted

    def write_state_if_idle(self) -> None:
        """Hand over what was read so far, instead of keeping it in the buffer while nothing comes."""
        if self._syncing and self._emitted != self._emitted_at_state:
            self.write_state()

    @property
    def _emitted(self) -> int:
        return sum(stream.emitted for stream in self._crm_streams())

    def write_state_if_due(self) -> bool:
        """Write STATE if the last one is some seconds old; says whether it did."""
        if time.monotonic() < self._state_due_at:
            return False
        self.write_state()
        return True

    def _run_information(self) -> dict[str, Any]:
        """What the reserved `run` says; whole numbers only, for the SDK's targets cannot print a STATE with others.

        `status` is running, finished or failed: a target sees only that its input ended, not whether it was cut.
        """
        streams: dict[str, Any] = {}
        for name, stream in (self._streams or {}).items():
            stats = self.session.stats_of(name)
            if stats.calls or getattr(stream, "emitted", 0):
                expected = getattr(stream, "expected", None)
                streams[name] = {"expected": expected, "calls": stats.calls, "waited_ms": round(stats.waited * 1000)}
        return {"status": self._status, "streams": streams}

    # the run

    @override  # type: ignore[misc]  # final in the SDK, yet the one way in for CLI, Meltano and tests
    def sync_all(self) -> None:
        """Sync all streams; raises SyncFailedError at the end if any failed."""
        self._syncing = True
        self._state_due_at = time.monotonic() + self.state_seconds
        if isinstance(self.message_writer, BufferedWriter):
            self.message_writer.checks_numbers = not self.numbers_are_finite or bool(self.config.get("stream_maps"))
        try:
            super().sync_all()
        except OutputClosedError:
            raise
        except BaseException as error:
            if isinstance(error, Exception):
                self._status = "failed"
            with contextlib.suppress(OutputClosedError):  # the first failure is the one to report
                self._last_words()
            self._summarize()
            raise
        finally:
            self._syncing = False
            for stream in self._crm_streams():
                stream.stop_fetching()
        self._status = "failed" if self.failures else "finished"
        self._last_words()
        self._summarize()
        if self.failures:
            names = ", ".join(self.failures)
            raise SyncFailedError(f"{len(self.failures)} of the streams failed: {names}; see above", self.failures)

    def _last_words(self) -> None:
        self.write_state()
        if isinstance(self.message_writer, BufferedWriter):
            self.message_writer.flush()

    def _summarize(self) -> None:
        """One line for the whole run, below those of the streams."""
        if "session" not in vars(self):
            return  # nothing was asked; opening a session now could fail, and hide the first failure
        stats = self.session.stats
        self.logger.info(
            "in all: %d emitted, %d calls, %.1f s waited for limits, %s",
            self._emitted,
            stats.calls,
            stats.waited,
            self.session.quota.describe(),
        )

    def takes_failure(self, stream: CrmStream, error: Exception) -> bool:
        """Whether the run goes on with the next stream after this error; if so, it is reported at the end."""
        if not self._syncing or isinstance(error, SyncLifecycleSignal) or getattr(error, "stops_run", False):
            return False
        self._take_failure(stream.name, error)
        self.logger.debug("%s: where it happened:\n%s", stream.name, places(error))
        return True

    # the SDK's set-up

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)  # takes the bookmarks only: an incoming `run` is of another run
        self._tap_state["run"] = {"status": self._status, "streams": {}}

    @property
    def _tap_state(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.state)

    @override
    def _setup_signal_handlers(self) -> None:
        install_signals()

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - as in the SDK
        """Settings from the environment; unlike the SDK's, numbers too, and a wrong one is a fault, not a crash."""
        load_dotenv(find_dotenv(usecwd=True))
        return from_environment(cls._whole_schema(), cls._env_var_prefix)

    @classmethod
    def _whole_schema(cls) -> dict[str, Any]:
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        return schema

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find every fault of the settings at once; the first thing done, before any network call."""
        schema = self._whole_schema()
        self._config = {name: value for name, value in self._config.items() if value is not None}  # null: not set
        redaction.install(redaction.secrets_of(self._config, schema))
        logging.getLogger("urllib3").setLevel(logging.INFO)  # its DEBUG lines hold whole URLs, values included
        faults = faults_of(self._config, schema)
        if self._reads_environment:
            faults += misspelt_variables(schema, self._env_var_prefix)
        faults += [] if faults else self.config_faults()
        if self._config.get("debug") is True:
            logging.getLogger().setLevel(logging.DEBUG)
        if faults and raise_errors:
            raise ConfigError(*faults)
        for fault in faults:
            self.logger.warning("%s", fault)
        return faults
