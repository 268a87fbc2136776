"""One request on its way to a handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.pipedrive.errors import bad_request
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fake_crm.pipedrive.access import Access
    from fake_crm.pipedrive.paging import Cursors
    from fake_crm.pipedrive.quirks import Quirks
    from fake_crm.pipedrive.world import World
    from fake_crm.wire import Request

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """What a handler gets; `path` holds the parts of the route in braces, `base` the server's own address."""

    request: Request
    path: Mapping[str, str]
    world: World
    access: Access
    quirks: Quirks
    cursors: Cursors
    base: str

    def one(self, name: str) -> str | None:
        """A parameter's last value."""
        values = self.request.query.get(name)
        return values[-1] if values else None

    def many(self, name: str) -> list[str]:
        """A parameter with commas."""
        text = self.one(name)
        return [part.strip() for part in text.split(",") if part.strip()] if text else []

    def flag(self, name: str) -> bool:
        """A switch."""
        text = self.one(name)
        if text not in {None, "true", "false", "1", "0"}:
            raise bad_request(f"{name} must be a boolean")
        return text in {"true", "1"}

    def body(self) -> Json:
        """The JSON body, which must be an object."""
        if not isinstance(self.request.json, dict):
            raise bad_request("an object is expected")
        return self.request.json

    def number(self, name: str = "id") -> int:
        """A part of the path as a number."""
        text = self.path[name]
        if not text.isdecimal():
            raise bad_request(f"{name} must be a number")
        return int(text)


def answer(data: Any, **additional: Any) -> Reply:
    """A success; without `additional` there is no `additional_data`."""
    return Reply.of({"success": True, "data": data, **({"additional_data": additional} if additional else {})})


def answer_rows(rows: Sequence[str], additional: str) -> Reply:
    """A success whose rows are JSON already."""
    return Reply(200, f'{{"success":true,"data":[{",".join(rows)}],"additional_data":{additional}}}'.encode())
