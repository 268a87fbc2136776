"""What calls cost in tokens of the day's budget: `x-token-cost` of the vendor's OpenAPI files, August 2026."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

__all__ = ["price", "price_of"]

# The first that matches; what is not among them is a list: 10 in v2, 20 in v1.
_PRICES: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), cost)
    for pattern, cost in (
        (r"/oauth/", 0),
        (r"/api/v2/deals/archived$", 20),
        (r"/api/v2/(stages|pipelines)$", 5),
        (r"/api/v2/", 10),
        (r"/v1/users/me$", 2),
        (r"/v1/leadSources$", 2),
        (r"/v1/leadLabels$", 10),
        (r"/v1/leads/archived$", 40),
        (r"/v1/deals/summary$", 40),
        (r"/v1/deals/\d+/participants$", 10),
    )
)
_V1_LIST = 20


def price(path: str) -> int:
    """The tokens of a GET of this path."""
    return next((cost for pattern, cost in _PRICES if pattern.search(path)), _V1_LIST)


def price_of(request: requests.PreparedRequest) -> int:
    """The tokens of a request."""
    return price(urlsplit(str(request.url)).path)
