"""The storage on another host to which GitHub sends for release files and LFS objects; it takes no token."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.local_api import LocalApi
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.faults import Fault
    from fake_crm.wire import Request

__all__ = ["Storage"]


class Storage(LocalApi):
    """Signed links to contents; refuses a request that brings credentials, as signed storage does."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, tuple[bytes, str | None]] = {}

    def keep(self, content: bytes, *, key: str | None = None) -> str:
        """Keep a content; its link, which only works together with the header `X-Storage-Key` if there is a key."""
        name = hashlib.sha256(content).hexdigest()
        self._kept[name] = (content, key)
        return f"{self.url}/{name}?signature=s3cret"

    @override
    def answer(self, request: Request) -> Reply:
        if "Authorization" in request.headers:
            return Reply(400, b"<Error><Code>InvalidArgument</Code></Error>", {}, "application/xml")
        content, key = self._kept.get(request.path.strip("/"), (None, None))
        if content is None or request.query.get("signature") != ["s3cret"]:
            return Reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", {}, "application/xml")
        if key is not None and request.headers.get("X-Storage-Key") != key:
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>", {}, "application/xml")
        return Reply(200, content, {}, "application/octet-stream")

    @override
    def injected(self, fault: Fault) -> Reply | None:
        return None

    @override
    def state(self) -> dict[str, Any]:
        return {"contents": len(self._kept)}

    @override
    def describe(self) -> dict[str, Any]:
        return {"url": self.url}
