"""tap-pipedrive: its settings, its session, its list of streams."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import ApiError, ForbiddenError
from crmdb_core.quota import Quota
from crmdb_core.tap import CrmTap
from tap_pipedrive.account import Account
from tap_pipedrive.auth import OAuthApp, TokenAuth
from tap_pipedrive.changed_deals import ChangedDeals
from tap_pipedrive.client import is_off
from tap_pipedrive.custom_fields import CustomFields
from tap_pipedrive.definitions import Definitions, path_of
from tap_pipedrive.evolution import follow
from tap_pipedrive.judge import Reader, budgets, daily_use, next_midnight
from tap_pipedrive.naming import remembered
from tap_pipedrive.paging import rows_of
from tap_pipedrive.prices import price, price_of
from tap_pipedrive.settings import access_faults, api_root, settings
from tap_pipedrive.streams.entities import ENTITIES, CustomStream, DealsStream
from tap_pipedrive.streams.field_lists import field_streams
from tap_pipedrive.streams.fixed import FIXED, ProjectsStream
from tap_pipedrive.streams.history import DealChangesStream, StageHistoryStream
from tap_pipedrive.streams.leads import LeadsStream
from tap_pipedrive.streams.mail import MailMessagesStream, MailThreadsStream
from tap_pipedrive.streams.notes import FilesStream, NotesStream
from tap_pipedrive.streams.of_deals import (
    FollowersStream,
    InstallmentsStream,
    ParticipantsStream,
    ProductsOfDealsStream,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from requests.auth import AuthBase
    from singer_sdk import Stream

    from crmdb_core.forecast import Forecast
    from crmdb_core.http import ApiSession
    from crmdb_core.window import ReadWindow
    from tap_pipedrive.client import PipedriveStream

__all__ = ["TapPipedrive"]

_ME = "/v1/users/me"
_MAIN = frozenset({"deals", "persons", "organizations", "activities", "products", "leads", "pipelines", "stages"})
_DEALS = "deal"
STREAMS: tuple[type[PipedriveStream], ...] = (
    *ENTITIES,
    LeadsStream,
    NotesStream,
    FilesStream,
    *FIXED,
    ProductsOfDealsStream,
    InstallmentsStream,
    ParticipantsStream,
    FollowersStream,
    DealChangesStream,
    StageHistoryStream,
    MailThreadsStream,
    MailMessagesStream,
)


class TapPipedrive(CrmTap):
    """Reads a Pipedrive company by API v2, and by v1 what v2 has not."""

    name = "tap-pipedrive"
    package_name = "crmdb-tap-pipedrive"
    config_jsonschema: ClassVar[dict[str, Any]] = settings()
    dynamic_catalog = True  # discovery asks the API
    numbers_are_finite = True  # see `shapes`, and JSON has no others
    cost_at_start = price(_ME)
    account = Account()  # nothing is known of it until `probe()`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # the SDK takes the state after the catalog, whose custom fields have the names that the state keeps
        given = kwargs.get("state")
        self._given_bookmarks: Mapping[str, Any] = (given.get("bookmarks") or {}) if isinstance(given, dict) else {}
        self._forecasting: dict[tuple[Any, Any], DealsStream] = {}
        self._run_starts_at: datetime | None = None
        self._run_lock = threading.Lock()
        super().__init__(*args, **kwargs)

    @override
    def config_faults(self) -> list[str]:
        return list(access_faults(self.config))

    @override
    def open_session(self) -> ApiSession:
        reader = Reader(self.day_ends)
        session = self.new_session(
            api_url=api_root(self.config),
            auth=self.auth,
            budgets=budgets("api_token" if self.config.get("api_token") else "oauth"),
            judge=reader,
            connections=int(self.config["concurrency"]) * (1 + self.streams_ahead),
            quota=Quota(
                daily_use,
                share=float(self.config["max_daily_share"]),
                name="Pipedrive's daily budget",
                resets=self.day_ends,
                unit="tokens",
                price=price_of,
                limit=self.config.get("daily_tokens"),
            ),
        )
        reader.pacer = session.pacer
        return session

    def day_ends(self) -> datetime:
        """When the daily budget is whole again."""
        return next_midnight(self.session.server_now())

    @cached_property
    def auth(self) -> AuthBase:
        """Whichever of the two ways of access the settings give; `config_faults` has seen that it is one."""
        config = self.config
        if config.get("api_token"):
            return TokenAuth(config["api_token"])
        names = ("client_id", "client_secret")
        app = OAuthApp(self.new_session, config["oauth_url"], api_root(config), *(config[name] for name in names))
        return app.auth(config["refresh_token"], config.get("token_store"))

    @override
    def probe(self) -> None:
        try:
            self.account = Account.of(self.session.get_json(_ME))
        except ForbiddenError:
            self.logger.debug("the company is not open to this app; the answer told the time all the same")

    @override
    def account_facts(self) -> dict[str, str]:
        way = "API token" if self.config.get("api_token") else "OAuth app"
        return {**self.account.facts(), "access": way}

    @override
    def has_to_be_readable(self, name: str) -> bool:
        # without a catalog nobody has chosen, and hardly any user may read all that there is
        return self.input_catalog is not None or name in _MAIN

    # -- the run ----------------------------------------------------------------------------------------------------

    @override
    def windows_end(self) -> datetime:
        """The server's time when the run began, for all windows alike, so that streams share what they list.

        The clock is read from answers as they come, by the second: asked again, it may be a moment earlier.
        """
        with self._run_lock:
            if self._run_starts_at is None:
                self._run_starts_at = super().windows_end()
            return self._run_starts_at

    # -- what streams share -----------------------------------------------------------------------------------------

    @cached_property
    def definitions(self) -> Definitions:
        """The field definitions of every entity."""
        return Definitions(self.session, int(self.config["page_size"]))

    @cached_property
    def changed_deals(self) -> ChangedDeals:
        """The deals of windows, for the streams of what hangs on them."""
        return ChangedDeals(self.session, int(self.config["page_size"]), archived=bool(self.config["archived"]))

    @cached_property
    def lead_labels(self) -> Mapping[str, str]:
        """The labels of leads by id."""
        rows = rows_of(self.session.get_json("/v1/leadLabels"), "/v1/leadLabels")
        return {str(row["id"]): str(row.get("name") or "") for row in rows}

    def labels(self, entity: str) -> Mapping[Any, str]:
        """The labels of an entity's `label_ids`."""
        if entity not in self._labels:
            self._labels[entity] = self.definitions.labels(entity, "label_ids")
        return self._labels[entity]

    @cached_property
    def _labels(self) -> dict[str, Mapping[Any, str]]:
        return {}

    def custom_fields(self, entity: str, stream: str) -> CustomFields:
        """An entity's own fields, named as they were before; leads have those of deals, and their names."""
        policy = str(self.config["custom_field_names"])
        owner = _DEALS if entity == "lead" else entity
        kept = remembered(self._given_bookmarks.get(stream), policy)
        if owner == _DEALS:
            kept = {
                **remembered(self._given_bookmarks.get("leads"), policy),
                **remembered(self._given_bookmarks.get("deals"), policy),
            }
        return CustomFields(self.definitions.of(owner), policy, kept)

    def names_of(self, entity: str) -> Mapping[str, str]:
        """The names of an entity's own fields in records; none where its records have no such fields."""
        with_own: tuple[type[CustomStream], ...] = (*ENTITIES, LeadsStream, ProjectsStream)
        stream = next((each for each in with_own if each.entity == entity), None)
        return {} if stream is None else self.custom_fields(entity, _name_of(stream)).names

    # -- what it costs ----------------------------------------------------------------------------------------------

    def deals_for_forecast(self, window: ReadWindow) -> DealsStream:
        """A stream of deals with this window, to forecast by."""
        key = (window.low, window.kind)
        if key not in self._forecasting:
            stream = DealsStream(self, DealsStream.declared())
            stream._window = window  # noqa: SLF001 - a stream of our own that is not part of the run
            self._forecasting[key] = stream
        return self._forecasting[key]

    def listing_calls(self, deals: Forecast) -> dict[str, int]:
        """The calls that list the deals for the streams of what hangs on them."""
        archived = {"/api/v2/deals/archived": 1} if self.config["archived"] else {}
        return {"/api/v2/deals": max(deals.calls_in_all - len(archived), 1), **archived}

    def cost_of_fields(self, entity: str) -> int:
        """What the fields of an entity cost; 0 for one without."""
        return price(path_of(entity)) if entity else 0

    # -- discovery --------------------------------------------------------------------------------------------------

    @override
    def setup_mapper(self) -> None:
        if self.input_catalog is not None:
            self._update_catalog()  # here: stream maps and streams take their schemas from it
        super().setup_mapper()

    def _update_catalog(self) -> None:
        """Let a catalog, which may be old, follow the company's own fields, where they are selected."""
        assert self.input_catalog is not None
        self.windows_end()  # the first call of all: it meets bad credentials once, and tells both limits
        for stream in self._custom_streams():
            entry = self.input_catalog.get(stream.name)
            if entry is None or not self.is_selected(stream.name):
                continue
            try:
                new = follow(entry, stream.schema)
            except ApiError as error:
                if not isinstance(error, ForbiddenError):
                    raise
                continue
            if new:
                self.logger.info("%s: since the catalog was made, fields came or changed: %s", stream.name, len(new))

    def is_selected(self, name: str) -> bool:
        """Whether the catalog selects a stream; all are without one."""
        if self.input_catalog is None:
            return True
        entry = self.input_catalog.get(name)
        return entry is not None and entry.metadata.resolve_selection()[()]

    def _custom_streams(self) -> list[CustomStream]:
        return [stream for stream in self._made if isinstance(stream, CustomStream)]

    @cached_property
    def _made(self) -> list[PipedriveStream]:
        """Every stream; the fields of the entities that are not selected are not asked for."""
        return [*self._of_classes(), *field_streams(self)]

    def _of_classes(self) -> Iterator[PipedriveStream]:
        for cls in STREAMS:
            try:
                yield self._stream(cls)
            except ForbiddenError as error:
                self.leave_out(_name_of(cls), error)
            except ApiError as error:
                if not (cls.optional and is_off(error)):
                    raise
                yield cls(self, cls.declared())  # it has no rows, so no fields of its own are needed

    def _stream(self, cls: type[PipedriveStream]) -> PipedriveStream:
        if self.input_catalog is None or not getattr(cls, "entity", "") or self.is_selected(_name_of(cls)):
            return cls(self)
        entry = self.input_catalog.get(_name_of(cls))
        return cls(self, entry.schema.to_dict() if entry else cls.declared())

    @override  # type: ignore[misc]  # final in the SDK, yet the one place that orders streams, which it does by name
    def load_streams(self) -> list[Stream]:
        # where the day's budget does not last, it is these that wait
        return sorted(super().load_streams(), key=lambda stream: not getattr(stream, "selected_by_default", True))

    @override
    def discover_streams(self) -> Sequence[PipedriveStream]:
        if self.input_catalog is None:
            self.windows_end()  # bad credentials are met by one call
            return self._made
        return [stream for stream in self._made if stream.name in self.input_catalog]


def _name_of(cls: type[PipedriveStream]) -> str:
    return str(vars(cls)["name"])
