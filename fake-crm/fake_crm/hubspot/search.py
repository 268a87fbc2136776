"""Search (vendor page "Search the CRM"): offsets as cursors, 10,000 results at most, never an archived record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.hubspot.errors import invalid
from fake_crm.hubspot.query import parse
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from typing import Any

    from fake_crm.hubspot.call import Call
    from fake_crm.hubspot.matching import Matcher
    from fake_crm.hubspot.query import Query


class Search:
    """POST search of an object type."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def __call__(self, call: Call) -> Reply:
        """One page and the exact total. Links are given too, though only `after` is sure."""
        kind = call.kind()
        if kind.name in call.quirks.unsearchable:
            raise invalid(f"{kind.name} cannot be searched")  # wording unverified
        store = call.world.store(kind.name)
        query = parse(call)
        store.index.settle(call.world.now())
        found = self._matcher.match(store, query)
        wanted = min(query.limit, call.quirks.search_cap - query.after)
        count = int(wanted * call.quirks.next_page())
        rows = found[query.after : query.after + count]
        asked = query.properties or kind.defaults
        names = tuple(dict.fromkeys((*(n for n in asked if n in store.properties), *kind.always)))
        results = [call.world.rendered(store, row, names) for row in rows]
        return Reply.of({"total": len(found), "results": results, **_paging(call, query, len(rows), len(found))})


def _paging(call: Call, query: Query, given: int, total: int) -> dict[str, Any]:
    after = query.after + given
    if after >= total:
        return {}
    # an empty page must give another cursor than it got: the same offset, written with one zero more
    text = str(after) if given else f"0{call.request.json.get('after') or ''}"
    return {"paging": {"next": {"after": call.quirks.cursor(text)}}}
