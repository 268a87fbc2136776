"""One request on its way to a handler: parsed, allowed, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.salesforce.access import Access
    from fake_crm.salesforce.bulk_jobs import Jobs
    from fake_crm.salesforce.cursors import Cursors
    from fake_crm.salesforce.legacy_bulk_v1 import OldJobs
    from fake_crm.salesforce.limits import Usage
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.quirks import Quirks
    from fake_crm.salesforce.rendering import Renderer
    from fake_crm.wire import Reply, Request


@dataclass(frozen=True)
class Call:
    """What a handler gets. `path` holds the parts of the route in braces, `base` is the server's own address.

    `inner` answers a request that stands in this one's body, without counting it.
    """

    request: Request
    path: Mapping[str, str]
    org: Org
    access: Access
    usage: Usage
    quirks: Quirks
    cursors: Cursors
    renderer: Renderer
    jobs: Jobs
    old_jobs: OldJobs
    base: str
    inner: Callable[[Request], Reply]

    @property
    def version(self) -> str:
        """The version in the path, such as 66.0."""
        return self.path["version"]

    @property
    def root(self) -> str:
        """The path of this version of the API."""
        return f"/services/data/v{self.version}"

    def kind(self) -> SObject:
        """The object that the path names; 404 if there is none."""
        found = self.org.schema.get(self.path["name"])
        if found is None:
            raise not_found()
        return found

    def one(self, name: str) -> str | None:
        """A parameter's last value."""
        values = self.request.query.get(name)
        return values[-1] if values else None

    def needed(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.one(name)
        if value is None:
            raise ApiError(400, "MALFORMED_QUERY" if name == "q" else "MISSING_ARGUMENT", f"{name} is missing")
        return value

    def body(self) -> dict[str, Any]:
        """The JSON body, which must be an object."""
        body = self.request.json
        if not isinstance(body, dict):
            raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, and must be a JSON object")
        return body
