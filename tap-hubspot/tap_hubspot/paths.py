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

    @property
    def introspect(self) -> str:
        """What an OAuth token may do."""
        return f"{self.token}/introspect"

    @property
    def lists(self) -> str:
        """Lists by their ids (`listIds`), with their filters if asked."""
        return f"/crm/lists/{self.version}"

    @property
    def list_search(self) -> str:
        """Lists by type: 500 a page, no page beyond 10,000."""
        return f"{self.lists}/search"

    @property
    def all_lists(self) -> str:
        """Lists by type and by cursor; the dated path is beta."""
        return f"/crm/lists/{self.beta}/all"

    def list_members(self, list_id: str) -> str:
        """Members of a list by ascending record id: 250 a page."""
        return f"{self.lists}/{list_id}/memberships"

    @property
    def beta(self) -> str:
        """The version of what HubSpot has dated, but not released."""
        return f"{self.version.removesuffix('-beta')}-beta"

    @property
    def forms(self) -> str:
        """Forms; the dated path is beta."""
        return f"/marketing/forms/{self.beta}"

    @property
    def campaigns(self) -> str:
        """Marketing campaigns: 100 a page."""
        return f"/marketing/campaigns/{self.version}"

    @property
    def marketing_emails(self) -> str:
        """Marketing emails."""
        return f"/marketing/emails/{self.version}"

    @property
    def subscription_types(self) -> str:
        """What a contact can subscribe to, in one page."""
        return f"/communication-preferences/{self.version}/definitions"


# Without a dated twin (state of 2026-09): these stand behind the setting `legacy`.
LEGACY_FORMS = "/marketing/v3/forms"
EMAIL_EVENTS = "/email/public/v1/events"
EMAIL_CAMPAIGNS = "/email/public/v1/campaigns"
SUBSCRIPTIONS_TIMELINE = "/email/public/v1/subscriptions/timeline"


def form_submissions(form_id: str) -> str:
    """Submissions of a form, the newest first: 50 a page; an endpoint without a dated twin."""
    return f"/form-integrations/v1/submissions/forms/{form_id}"
