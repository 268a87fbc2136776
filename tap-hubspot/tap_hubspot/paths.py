"""Where things are in HubSpot's date-versioned API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paths:
    """The paths of one API version, such as `2026-09` (vendor page "API versioning")."""

    version: str

    def objects(self, object_type: str) -> str:
        """List of records: 100 a page, `archived` as a parameter."""
        return f"/crm/objects/{self.version}/{object_type}"

    def search(self, object_type: str) -> str:
        """Search: 200 a page, five a second."""
        return f"{self.objects(object_type)}/search"

    def batch_read(self, object_type: str) -> str:
        """Read by id: 100 a call."""
        return f"{self.objects(object_type)}/batch/read"

    def properties(self, object_type: str) -> str:
        """Property definitions, in one page."""
        return f"/crm/properties/{self.version}/{object_type}"

    def pipelines(self, object_type: str) -> str:
        """Pipelines with their stages, in one page."""
        return f"/crm/pipelines/{self.version}/{object_type}"

    @property
    def schemas(self) -> str:
        """Schemas of the custom objects, with their properties, in one page."""
        return f"/crm-object-schemas/{self.version}/schemas"

    @property
    def object_library(self) -> str:
        """Which of the objects that can be switched off are on."""
        return f"/crm/object-library/{self.version}/enablement"

    @property
    def users(self) -> str:
        """The people who can log in; not the CRM object of this name."""
        return f"/settings/users/{self.version}"

    @property
    def members(self) -> str:
        """Teams with their members, in one page."""
        return f"/settings/users/{self.version}/teams"

    @property
    def teams(self) -> str:
        """Teams with the team that each is part of."""
        return f"/settings/teams/{self.version}"

    @property
    def owners(self) -> str:
        """Owners: 500 a page."""
        return f"/crm/owners/{self.version}"

    @property
    def account(self) -> str:
        """The account's id and time zone; open to every key."""
        return f"/account-info/{self.version}/details"

    @property
    def token(self) -> str:
        """OAuth tokens."""
        return f"/oauth/{self.version}/token"
