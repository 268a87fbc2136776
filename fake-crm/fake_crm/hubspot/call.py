"""One request on its way to a handler: parsed, allowed, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import invalid, switched_off

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.hubspot.access import Access, Token
    from fake_crm.hubspot.kinds import Kind
    from fake_crm.hubspot.limits import Limiter
    from fake_crm.hubspot.quirks import Quirks
    from fake_crm.hubspot.world import World
    from fake_crm.wire import Request


@dataclass(frozen=True)
class Call:
    """What a handler gets. `path` holds the parts of the route in braces, `base` the server's own address."""

    request: Request
    path: Mapping[str, str]
    world: World
    access: Access
    limiter: Limiter
    quirks: Quirks
    base: str
    token: Token | None = None

    def kind(self, part: str = "type") -> Kind:
        """The object type that a part of the path names; 400 if there is none such, a refusal if it is not on."""
        kind = self.world.kinds.find(self.path[part])
        if self.world.library.is_off(kind):
            raise switched_off(kind.name, self.quirks.switched_off)
        return kind

    def one(self, name: str) -> str | None:
        """A parameter's last value."""
        values = self.request.query.get(name)
        return values[-1] if values else None

    def many(self, name: str) -> list[str]:
        """A parameter that may be repeated and may hold commas."""
        values = self.request.query.get(name, [])
        return list(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))

    def body(self, *allowed: str) -> dict[str, Any]:
        """The JSON body, which must be an object with no other fields; that unknown ones are refused is unverified."""
        body = self.request.json
        if not isinstance(body, dict):
            raise invalid("Invalid input JSON: an object is expected")
        unknown = sorted(body.keys() - set(allowed))
        if unknown:
            raise invalid(f"Invalid input JSON: Unrecognized field(s): {', '.join(unknown)}")
        return body
