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

    def associations(self, from_type: str, to_type: str) -> str:
        """Batch read of associations: 1,000 records a call."""
        return f"/crm/associations/{self.version}/{from_type}/{to_type}/batch/read"

    def association_labels(self, from_type: str, to_type: str) -> str:
        """The association types of a pair, in one page."""
        return f"/crm/associations/{self.version}/{from_type}/{to_type}/labels"

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
