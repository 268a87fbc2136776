"""The fake Salesforce as a whole: one request in, one reply out."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fake_crm.salesforce.call import Call
from fake_crm.salesforce.errors import HEADERS_TOO_LARGE, TOO_LONG, ApiError, OAuthError, not_found
from fake_crm.salesforce.legacy_bulk_v1 import OldJobs
from fake_crm.salesforce.routing import Router, routes
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fake_crm.salesforce.access import Access
    from fake_crm.salesforce.bulk_jobs import Jobs
    from fake_crm.salesforce.cursors import Cursors
    from fake_crm.salesforce.limits import Usage
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.quirks import Quirks
    from fake_crm.salesforce.rendering import Renderer
    from fake_crm.salesforce.routing import Match
    from fake_crm.wire import Request

_WORTH_PACKING = 1_000  # bytes
_GZIP_BITS = 31


@dataclass
class SalesforceApi:
    """Answers as Salesforce does. `base` is the address that it gives for itself."""

    org: Org
    access: Access
    usage: Usage
    quirks: Quirks
    cursors: Cursors
    renderer: Renderer
    jobs: Jobs
    base: str = ""
    _old_jobs: OldJobs = field(default_factory=OldJobs)
    _router: Router = field(default_factory=lambda: Router(routes()))

    def answer(self, request: Request) -> Reply:
        """The reply to a request, refusals included."""
        refused = self._too_long(request)
        if refused is not None:
            return refused
        try:
            match = self._router.find(request.method, request.path)
            reply = self._admitted(request, match)
        except (ApiError, OAuthError) as error:
            return error.reply()
        return self._packed(request, reply)

    def _too_long(self, request: Request) -> Reply | None:
        # both in one limit of 16,384 bytes (facts §2.4); the pages are HTML, not JSON
        headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        if len(request.target) + headers <= self.quirks.uri_limit:
            return None
        too_wide = headers > self.quirks.uri_limit // 2
        return Reply.html(HEADERS_TOO_LARGE, 431) if too_wide else Reply.html(TOO_LONG, 414)

    def _admitted(self, request: Request, match: Match) -> Reply:
        if match.route.open:
            return self._handled(request, match)
        self._check_version(match.parts)
        self.access.check(request)
        try:
            self.usage.admit()
            reply = self._handled(request, match)
        except ApiError as error:
            reply = error.reply()
        return replace(reply, headers={**reply.headers, **self.usage.header(), **self._warning(match.parts)})

    def _warning(self, parts: Mapping[str, str]) -> dict[str, str]:
        """What versions that are to be retired say (vendor page "API End-of-Life"; the wording is unverified)."""
        version = parts.get("version")
        if version is None or float(version) > self.quirks.deprecated:
            return {}
        return {"Warning": '299 - "This API is deprecated and will be removed by Summer \'28."'}

    def _handled(self, request: Request, match: Match) -> Reply:
        call = Call(
            request,
            match.parts,
            self.org,
            self.access,
            self.usage,
            self.quirks,
            self.cursors,
            self.renderer,
            self.jobs,
            self._old_jobs,
            self.base,
            self._inner,
        )
        return match.route.handler(call)

    def _inner(self, request: Request) -> Reply:
        """A request inside of another: allowed and counted with that."""
        try:
            match = self._router.find(request.method, request.path)
            self._check_version(match.parts)
            return self._handled(request, match)
        except ApiError as error:
            return error.reply()

    def _check_version(self, parts: Mapping[str, str]) -> None:
        if "version" not in parts:
            return
        number, _, rest = parts["version"].partition(".")
        if int(number) <= self.quirks.retired:
            message = "This API version has been retired. Use a newer version."  # wording unverified
            raise ApiError(410, "GONE", message)
        if rest != "0" or not self.quirks.oldest_version <= int(number) <= self.quirks.newest_version:
            raise not_found()

    def _packed(self, request: Request, reply: Reply) -> Reply:
        accepts = "gzip" in request.headers.get("Accept-Encoding", "")
        if not (accepts and self.quirks.gzip) or (reply.parts is None and len(reply.body) < _WORTH_PACKING):
            return reply
        headers = {**reply.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        parts = reply.parts
        if parts is not None:
            return replace(reply, parts=lambda: _packed_parts(parts()), headers=headers)
        return replace(reply, body=gzip.compress(reply.body, 1), headers=headers)


def _packed_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, wbits=_GZIP_BITS)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()
