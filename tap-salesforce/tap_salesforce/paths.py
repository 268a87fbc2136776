"""Where the API's calls are. All but `TOKEN` and `VERSIONS` carry the API version."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN = "/services/oauth2/token"  # noqa: S105 - a path
"""OAuth's token endpoint, on the host of `login_url`."""
VERSIONS = "/services/data"
"""The versions that the org offers; takes no token and does not count as a call."""


@dataclass(frozen=True)
class Paths:
    """Paths of one API version such as `68.0`; as they stand they are URLs of subrequests of a composite call too."""

    version: str

    @property
    def root(self) -> str:
        """The root of this version."""
        return f"{VERSIONS}/v{self.version}"

    @property
    def composite(self) -> str:
        """25 calls in one, which counts once."""
        return f"{self.root}/composite"

    @property
    def sobjects(self) -> str:
        """The list of all objects."""
        return f"{self.root}/sobjects"

    def sobject(self, name: str) -> str:
        """One object."""
        return f"{self.sobjects}/{name}"

    def describe(self, name: str) -> str:
        """An object with its fields."""
        return f"{self.sobject(name)}/describe"

    def record(self, name: str, record_id: str) -> str:
        """One record by its id."""
        return f"{self.sobject(name)}/{record_id}"

    def blob(self, name: str, record_id: str, field: str) -> str:
        """The bytes of a base64 field."""
        return f"{self.record(name, record_id)}/{field}"

    def updated(self, name: str) -> str:
        """Ids of records that changed, and how far that is known (`latestDateCovered`)."""
        return f"{self.sobject(name)}/updated/"

    def deleted(self, name: str) -> str:
        """Ids of records that were deleted, for good too."""
        return f"{self.sobject(name)}/deleted/"

    def list_views(self, name: str) -> str:
        """The list views of an object."""
        return f"{self.sobject(name)}/listviews"

    def list_view_describe(self, name: str, view_id: str) -> str:
        """The columns of a list view."""
        return f"{self.list_views(name)}/{view_id}/describe"

    def list_view_results(self, name: str, view_id: str) -> str:
        """The rows of a list view."""
        return f"{self.list_views(name)}/{view_id}/results"

    @property
    def query(self) -> str:
        """Rows by SOQL."""
        return f"{self.root}/query"

    @property
    def query_all(self) -> str:
        """Rows by SOQL, with deleted and archived ones."""
        return f"{self.root}/queryAll"

    @property
    def limits(self) -> str:
        """Every limit of the org, and what is left of it."""
        return f"{self.root}/limits"

    @property
    def record_count(self) -> str:
        """About how many records objects have."""
        return f"{self.limits}/recordCount"

    @property
    def bulk(self) -> str:
        """Query jobs of the Bulk API 2.0."""
        return f"{self.root}/jobs/query"

    def bulk_job(self, job_id: str) -> str:
        """One query job."""
        return f"{self.bulk}/{job_id}"

    def bulk_results(self, job_id: str) -> str:
        """The rows of a job, page by page."""
        return f"{self.bulk_job(job_id)}/results"

    def bulk_result_pages(self, job_id: str) -> str:
        """Where the pages of a job's rows are, so that they can be fetched side by side (58.0 and above)."""
        return f"{self.bulk_job(job_id)}/resultPages"

    @property
    def reports(self) -> str:
        """Reports that were used lately."""
        return f"{self.root}/analytics/reports"

    def report(self, report_id: str) -> str:
        """One report, run anew."""
        return f"{self.reports}/{report_id}"

    def report_describe(self, report_id: str) -> str:
        """The columns of a report."""
        return f"{self.report(report_id)}/describe"
