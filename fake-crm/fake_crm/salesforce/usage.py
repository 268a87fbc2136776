"""What the org has used, and how many records it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call


def limits(call: Call) -> Reply:
    """GET limits."""
    return Reply.of(call.usage.all())
