"""tap-salesforce: its settings, its session, its list of streams."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import ApiError
from crmdb_core.tap import CrmTap
from tap_salesforce import discovery
from tap_salesforce.auth import open_access
from tap_salesforce.bulk import BulkJobs
from tap_salesforce.cache import Cache, folder_of
from tap_salesforce.choice import Patterns
from tap_salesforce.client import Reader
from tap_salesforce.composite import Composite
from tap_salesforce.describes import Describes
from tap_salesforce.judge import passing
from tap_salesforce.limits import Limits, RunQuota
from tap_salesforce.outset import Outset
from tap_salesforce.paths import VERSIONS, Paths
from tap_salesforce.reports import analytic_names, analytic_streams
from tap_salesforce.settings import faults, settings
from tap_salesforce.streams import ObjectStream
from tap_salesforce.versions import Version, choose, farewell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmdb_core.http import ApiSession
    from crmdb_core.stream import CrmStream
    from tap_salesforce.auth import FixedToken, RenewedToken
    from tap_salesforce.objects import SObject

__all__ = ["TapSalesforce"]

_ORGANIZATION = "SELECT Id, Name, OrganizationType, IsSandbox, InstanceName FROM Organization"


class TapSalesforce(CrmTap):
    """Reads a Salesforce org by REST and the Bulk API 2.0."""

    name = "tap-salesforce"
    package_name = "crmdb-tap-salesforce"
    config_jsonschema: ClassVar[dict[str, Any]] = settings()
    dynamic_catalog = True  # discovery asks the API
    numbers_are_finite = True  # JSON has no others, and CSV is read by the same rule

    @override
    def config_faults(self) -> list[str]:
        return list(faults(self.config))

    # access

    @cached_property
    def access(self) -> FixedToken | RenewedToken:
        """Signs requests; knows where the org's API is."""
        return open_access(self.config, self.new_session(api_url=self.config["login_url"], judge=passing))

    @override
    def open_session(self) -> ApiSession:
        reader = Reader()
        session = self.new_session(
            api_url=self.access.instance_url,
            auth=self.access,
            judge=reader,
            connections=int(self.config["concurrency"]) * (1 + self.streams_ahead),
            quota=RunQuota(share=float(self.config["max_daily_share"]), run_share=float(self.config["max_run_share"])),
        )
        reader.pacer = session.pacer
        return session

    # what streams use

    @cached_property
    def version(self) -> Version:
        """The API version of this run: one free call, which tells the server's clock too."""
        wanted = self.config["api_version"]
        found = choose(wanted, self.session.get_json(VERSIONS))
        if found != Version.of(wanted):
            self.logger.warning("this org does not offer API version %s; it is read by %s", wanted, found.text)
        if parting := farewell(found):
            self.logger.warning("%s", parting)
        return found

    @cached_property
    def paths(self) -> Paths:
        """The paths of that version."""
        return Paths(self.version.text)

    @cached_property
    def composite(self) -> Composite:
        """25 calls in one."""
        return Composite(self.session, self.paths, workers=int(self.config["concurrency"]))

    @cached_property
    def describes(self) -> Describes:
        """What the org says of its objects."""
        whose = f"{self.access.instance_url} {self.access.identity} {self.paths.version}"
        key = hashlib.sha256(whose.encode()).hexdigest()[:32]
        return Describes(self.composite, self.paths, Cache(folder_of(self.config.get("cache_dir")), key))

    def sobject(self, name: str) -> SObject:
        """An object with its fields; raises the API's refusal."""
        return self.describes.one(name)

    @cached_property
    def limits(self) -> Limits:
        """What the org allows."""
        return Limits(self.session, self.paths)

    @cached_property
    def jobs(self) -> BulkJobs:
        """The Bulk jobs of this run."""
        return BulkJobs(self.session, self.paths, patience=float(self.config["bulk_patience"]) * 3600)

    @cached_property
    def outset(self) -> Outset:
        """What a run begins with, for all its objects together."""
        return Outset(self, lambda: [each for each in self.selected_streams if isinstance(each, ObjectStream)])

    @cached_property
    def patterns(self) -> Patterns:
        """The patterns of the setting `streams`."""
        return Patterns(tuple(self.config.get("streams") or ()))

    @cached_property
    def filtered(self) -> frozenset[str]:
        """The objects that the user has given a filter for."""
        return frozenset(self.config.get("where") or ())

    @cached_property
    def analytic(self) -> dict[str, tuple[str, ...]]:
        """The streams of reports and list views."""
        return analytic_names(self.config)

    # discovery

    @override
    def setup_mapper(self) -> None:
        if self.input_catalog is not None and self.config["refresh_schema"]:
            discovery.follow_org(self)  # here: stream maps and streams take their schemas from the catalog
        super().setup_mapper()

    def is_selected(self, name: str) -> bool:
        """Whether the catalog selects a stream."""
        entry = None if self.input_catalog is None else self.input_catalog.get(name)
        return entry is not None and entry.metadata.resolve_selection()[()]

    @override
    def discover_streams(self) -> Sequence[CrmStream]:
        return [*(ObjectStream(self, each) for each in discovery.objects(self)), *analytic_streams(self)]

    @override
    def has_to_be_readable(self, name: str) -> bool:
        # without a catalog or patterns nobody has chosen
        return self.input_catalog is not None or self.patterns.name_it(name)

    # looking before a run

    @override
    def probe(self) -> None:
        _ = self.version

    @override
    def account_facts(self) -> dict[str, str]:
        return {**self._organization(), "api_version": self.version.text, **self.access.facts()}

    def _organization(self) -> dict[str, str]:
        try:
            row = self.session.get_json(self.paths.query, {"q": _ORGANIZATION})["records"][0]
        except (ApiError, IndexError):
            return {}  # it takes a permission that not every user has
        kind = f"{row.get('OrganizationType')}{', sandbox' if row.get('IsSandbox') else ''}"
        return {"org": str(row["Id"]), "edition": kind, "instance": str(row.get("InstanceName"))}
