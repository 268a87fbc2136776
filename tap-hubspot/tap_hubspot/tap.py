"""tap-hubspot: its settings, its session, its list of streams."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import SchemaNotFoundError
from singer_sdk.singerlib.schema import Schema
from typing_extensions import override

from crmdb_core.exceptions import ForbiddenError, NotFoundError, RetriesExhaustedError, UnauthorizedError
from crmdb_core.quota import Quota
from crmdb_core.tap import CrmTap
from tap_hubspot.account import Account
from tap_hubspot.auth import OAuthApp, OAuthAuth, TokenAuth
from tap_hubspot.client import Reader, budgets, daily_use
from tap_hubspot.definitions import Definitions
from tap_hubspot.discovery import Discovery, find
from tap_hubspot.evolution import follow_account
from tap_hubspot.forecast import touch
from tap_hubspot.judge import MALFORMED_TOKEN, scopes_of
from tap_hubspot.objects import CRM_OBJECTS
from tap_hubspot.paths import Paths
from tap_hubspot.schema import PropertySchemas
from tap_hubspot.settings import access_faults, settings
from tap_hubspot.streams.account import trials
from tap_hubspot.streams.families import FAMILIES
from tap_hubspot.text_properties import TextProperties

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from singer_sdk.singerlib import Catalog

    from crmdb_core.http import ApiSession
    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.discovery import Found
    from tap_hubspot.objects import CrmObject

__all__ = ["TapHubSpot"]


class TapHubSpot(CrmTap):
    """Reads a HubSpot account by its date-versioned API."""

    name = "tap-hubspot"
    package_name = "crmdb-tap-hubspot"
    config_jsonschema: ClassVar[dict[str, Any]] = settings()
    dynamic_catalog = True  # discovery asks the API
    numbers_are_finite = True  # see `casting`, and JSON has no others
    account = Account()  # nothing is known of it until `probe()`

    @override
    def config_faults(self) -> list[str]:
        return list(access_faults(self.config))

    @override
    def open_session(self) -> ApiSession:
        reader = Reader(self.day_ends)
        session = self.new_session(
            api_url=self.config["api_url"],
            auth=self.auth,
            budgets=budgets(float(self.config["searches_per_second"])),
            judge=reader,
            connections=int(self.config["concurrency"]) * (1 + self.streams_ahead),
            quota=Quota(
                daily_use,
                share=float(self.config["max_daily_share"]),
                name="HubSpot's daily limit",
                resets=self.day_ends,
            ),
        )
        reader.pacer = session.pacer
        return session

    @cached_property
    def auth(self) -> TokenAuth | OAuthAuth:
        """Whichever of the two ways of access the settings give; `config_faults` has seen that it is one."""
        if self.config.get("access_token"):
            return TokenAuth(self.config["access_token"])
        session = self.new_session(api_url=self.config["api_url"])
        app = OAuthApp(session, self.paths, self.config["client_id"], self.config["client_secret"])
        return app.auth(self.config["refresh_token"], self.config.get("token_store"))

    @cached_property
    def paths(self) -> Paths:
        """The paths of the configured API version."""
        return Paths(self.config["api_version"])

    @cached_property
    def schemas(self) -> PropertySchemas:
        """The schemas of the CRM objects, each fetched once."""
        return PropertySchemas(self.definitions)

    def definitions(self, object_type: str) -> list[dict[str, Any]]:
        """The account's property definitions of an object type, custom ones included."""
        return self.dictionary.live(object_type)

    @cached_property
    def dictionary(self) -> Definitions:
        """The account's property definitions, custom ones included, each fetched once."""
        return Definitions(self.session, self.paths, sensitive=bool(self.config["sensitive_properties"]))

    @cached_property
    def texts(self) -> TextProperties:
        """The properties that stay text, whatever HubSpot calls them."""
        return TextProperties(tuple(self.config["text_properties"]))

    def schema_of(self, crm_object: CrmObject) -> dict[str, Any]:
        """The schema of an object type's records; raises the API's own refusal, which says what to do."""
        try:
            return self.texts.applied(crm_object.name, self.schemas.get_schema(crm_object.path))
        except SchemaNotFoundError as error:
            raise error.__cause__ or error from None

    @override
    def setup_mapper(self) -> None:
        if self.input_catalog is not None:
            self._update_catalog(self.input_catalog)  # here: stream maps and streams take their schemas from it
        super().setup_mapper()

    def _update_catalog(self, catalog: Catalog) -> None:
        """Bring a catalog, which may be old, up to date with the settings and the account."""
        for name, entry in catalog.items() if self.texts.entries else ():
            entry.schema = Schema.from_dict(self.texts.applied(name, entry.schema.to_dict()))
        if self.config["refresh_schema"]:
            self.probe()  # the first call of all: it meets bad credentials once, and tells the day's limit
            objects = {each.name: each for each in self.found.objects if self.is_selected(each.name)}
            follow_account(catalog, objects, lambda name: self.schema_of(objects[name]))

    @cached_property
    def discovery(self) -> Discovery:
        """What finds out what of the account can be read."""
        return Discovery(self.session, self.paths, self.dictionary, trials(self.session, self.paths))

    @cached_property
    def found(self) -> Found:
        """What of the account can be read: all of it, or what the catalog has."""
        return find(self, self.discovery)

    @cached_property
    def object_types(self) -> list[CrmObject]:
        """All object types that the account has and this run may know of."""
        return self.found.objects if self.input_catalog is None else self.discovery.types()

    def is_known(self, name: str) -> bool:
        """Whether a stream of this name may be wanted: without a catalog all are."""
        return self.input_catalog is None or name in self.input_catalog

    def is_selected(self, name: str) -> bool:
        """Whether the catalog selects a stream."""
        entry = None if self.input_catalog is None else self.input_catalog.get(name)
        return entry is not None and entry.metadata.resolve_selection()[()]

    @override
    def probe(self) -> None:
        try:
            self.account = Account.of(self.session.get_json(self.paths.account))
        except (ForbiddenError, NotFoundError):
            self.logger.debug("account details are not open to this key; the answer told the time all the same")
        except RetriesExhaustedError as error:
            if error.status != MALFORMED_TOKEN:
                raise
            # the first call of all: neither another stream nor another try will fare better
            raise UnauthorizedError(str(error), status=error.status, response=error.response) from None

    def day_ends(self) -> datetime | None:
        """The account's next midnight by HubSpot's clock, in the account's own zone; None if the zone is unknown."""
        return self.account.next_midnight(self.session.server_now())

    @override
    def account_facts(self) -> dict[str, str]:
        return {**self.account.facts(), **self.auth.facts()}

    @override
    def check_left_out(self, name: str) -> None:
        paths = {each.name: each.path for each in CRM_OBJECTS}
        touch(self.session, self.paths.objects(paths.get(name, name)))

    @override
    def scopes_for(self, error: Exception) -> tuple[str, ...]:
        response = getattr(error, "response", None)
        return () if response is None else scopes_of(response)

    @override
    def has_to_be_readable(self, name: str) -> bool:
        # without a catalog nobody has chosen, and hardly any key opens all that there is
        return self.input_catalog is not None or any(each.is_main and each.name == name for each in CRM_OBJECTS)

    @override
    def discover_streams(self) -> Sequence[HubSpotStream]:
        if self.input_catalog is None:
            self.probe()  # bad credentials are met by one call, not by four at once
        return list(itertools.chain.from_iterable(family(self) for family in FAMILIES))
