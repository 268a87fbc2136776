"""The object library: which of the object types that can be switched off are on (vendor page "Object library")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.hubspot.errors import not_found
from fake_crm.hubspot.kinds import LIBRARY, STANDARD
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call
    from fake_crm.hubspot.kinds import Kind


class Library:
    """The state of each type in the library; all begin switched off, as in a new account."""

    def __init__(self) -> None:
        self._on = dict.fromkeys(LIBRARY, False)

    def switch(self, kind: Kind, *, on: bool) -> None:
        """Switch a type on or off; any standard type but contacts, companies, deals and tickets can be."""
        self._on[kind.type_id] = on

    def is_off(self, kind: Kind) -> bool:
        """Whether a type is switched off."""
        return not self._on.get(kind.type_id, True)

    @property
    def states(self) -> dict[str, bool]:
        """On or off, by type id."""
        return dict(self._on)


def scopes(_: Call) -> tuple[str, ...]:
    """Any scope that reads an object is enough (the vendor's OpenAPI specification)."""
    return ("crm.objects.custom.read", *(kind.scope for kind in STANDARD))


def all_states(call: Call) -> Reply:
    """GET the state of every type in the library."""
    return Reply.of({"enablementByObjectTypeId": call.world.library.states})


def one_state(call: Call) -> Reply:
    """GET the state of one type."""
    states = call.world.library.states
    if call.path["type"] not in states:
        raise not_found(f"{call.path['type']} is not in the object library")
    return Reply.of({"enablement": states[call.path["type"]]})
