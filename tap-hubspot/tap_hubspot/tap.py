"""tap-hubspot: its settings, its session, its list of streams."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.singerlib.schema import Schema
from typing_extensions import override

from crmdb_core.exceptions import ForbiddenError, NotFoundError
from crmdb_core.tap import CrmTap
from crmdb_core.tokens import RefreshTokenAuth, TokenStore, refresh_grant
from tap_hubspot.auth import TokenAuth
from tap_hubspot.client import Reader, budgets
from tap_hubspot.definitions import Definitions
from tap_hubspot.discovery import Discovery, find
from tap_hubspot.paths import Paths
from tap_hubspot.schema import PropertySchemas
from tap_hubspot.settings import access_faults, settings
from tap_hubspot.streams.account import trials
from tap_hubspot.streams.families import FAMILIES
from tap_hubspot.text_properties import TextProperties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests.auth import AuthBase

    from crmdb_core.http import ApiSession
    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.discovery import Found

__all__ = ["TapHubSpot"]


class TapHubSpot(CrmTap):
    """Reads a HubSpot account by its date-versioned API."""

    name = "tap-hubspot"
    package_name = "crmdb-tap-hubspot"
    config_jsonschema: ClassVar[dict[str, Any]] = settings()
    dynamic_catalog = True  # discovery asks the API

    @override
    def config_faults(self) -> list[str]:
        return list(access_faults(self.config))

    @override
    def open_session(self) -> ApiSession:
        reader = Reader()
        session = self.new_session(
            api_url=self.config["api_url"],
            auth=self._auth(),
            budgets=budgets(float(self.config["searches_per_second"])),
            judge=reader,
        )
        reader.pacer = session.pacer
        return session

    def _auth(self) -> AuthBase:
        """Whichever of the two ways of access the settings give; `config_faults` has seen that it is one."""
        if self.config.get("access_token"):
            return TokenAuth(self.config["access_token"])
        grant = refresh_grant(
            self.new_session(api_url=self.config["api_url"]),
            self.paths.token,
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
        )
        path = self.config.get("token_store")
        store = TokenStore(path) if path else None
        return RefreshTokenAuth(grant, refresh_token=self.config["refresh_token"], store=store)

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

    @override
    def setup_mapper(self) -> None:
        for name, entry in (self.input_catalog or {}).items() if self.texts.entries else ():
            # the catalog may be older than the setting
            entry.schema = Schema.from_dict(self.texts.applied(name, entry.schema.to_dict()))
        super().setup_mapper()

    @cached_property
    def found(self) -> Found:
        """What of the account can be read."""
        return find(self, Discovery(self.session, self.paths, self.dictionary, trials(self.session, self.paths)))

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
            self.session.get_json(self.paths.account)
        except (ForbiddenError, NotFoundError):
            self.logger.debug("account details are not open to this key; the answer told the time all the same")

    @override
    def discover_streams(self) -> Sequence[HubSpotStream]:
        if self.input_catalog is None:
            self.probe()  # bad credentials are met by one call, not by four at once
        return list(itertools.chain.from_iterable(family(self) for family in FAMILIES))

    def leave_out(self, name: str, error: Exception) -> None:
        """Go on without a stream that may not be read; the run fails at its end."""
        self.failures[name] = error
        self.logger.error("%s is left out: %s", name, error)
