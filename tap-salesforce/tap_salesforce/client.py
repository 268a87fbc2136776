"""The one HTTP session of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_salesforce.judge import judge
from tap_salesforce.limits import bursts_in

if TYPE_CHECKING:
    import requests

    from crmdb_core.pacing import Pacer
    from crmdb_core.retry import Verdict

_BURST_RESERVE = 0.1
_BURST_PAUSE = 1.0


class Reader:
    """Reads every response for the session: slows down before the burst limit, then judges a refusal.

    Unverified: the window of `api-bursts`, which the header does not tell. A pause of a second for every answer that
    shows a tenth or less of it left is right for any window.
    """

    def __init__(self) -> None:
        self.pacer: Pacer | None = None

    def __call__(self, response: requests.Response) -> Verdict | None:
        """The verdict on one response."""
        bursts = bursts_in(response.headers)
        if self.pacer is not None and bursts is not None and bursts.remaining <= bursts.limit * _BURST_RESERVE:
            self.pacer.hold("default", _BURST_PAUSE)
        return judge(response)
