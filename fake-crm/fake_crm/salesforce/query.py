"""Queries by REST: pages of rows, counts, aggregates, plans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError
from fake_crm.salesforce.rendering import json_value
from fake_crm.salesforce.soql.running import aggregated, picked, planned
from fake_crm.salesforce.values import key_of
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.cursors import Cursor
    from fake_crm.salesforce.soql.binding import Plan
    from fake_crm.salesforce.table import Picked
    from fake_crm.salesforce.values import Row

_FEWEST, _MOST = 200, 2000


def query(call: Call) -> Reply:
    """GET query: without deleted and archived rows."""
    return _first(call, everything=False)


def query_all(call: Call) -> Reply:
    """GET queryAll: with them."""
    return _first(call, everything=True)


def more(call: Call) -> Reply:
    """GET query/{locator}: the next page; a `q` beside it is ignored."""
    cursor, start = call.cursors.find(call.path["locator"])
    return _page(call, cursor, start)


def _first(call: Call, *, everything: bool) -> Reply:
    explained = call.one("explain")
    if explained is not None:
        return Reply.of(_explained(call, explained))
    plan = planned(call.org, call.needed("q"))
    rows = picked(call.org, plan, everything=everything)
    check_speed(call, plan, len(rows))
    if plan.query.counts_only:
        return Reply.of({"totalSize": len(rows), "done": True, "records": []})
    if plan.aggregates:
        return _groups(plan, rows)
    cursor = call.cursors.open(plan, rows, _batch(call), everything=everything)
    return _page(call, cursor, 0)


def check_speed(call: Call, plan: Plan, found: int) -> None:
    """400 where the org is told to be too slow for so many rows."""
    most = dict(call.quirks.slow_objects).get(plan.kind.name)
    if most is not None and found > most:
        raise ApiError(400, "QUERY_TIMEOUT", "Your query request was running for too long.")


def _batch(call: Call) -> int:
    """The rows of a page, as Sforce-Query-Options asks; not guaranteed."""
    options = call.request.headers.get("Sforce-Query-Options", "")
    asked = dict(part.strip().partition("=")[::2] for part in options.split(",") if "=" in part)
    size = asked.get("batchSize", "")
    wanted = min(max(int(size), _FEWEST), _MOST) if size.isdecimal() else _MOST
    return min(wanted, call.quirks.page_rows)


def _page(call: Call, cursor: Cursor, start: int) -> Reply:
    stop = min(start + call.quirks.next_page(cursor.size), len(cursor.rows))
    rows = cursor.rows.part(start, stop)
    if call.quirks.live_pages:
        table = call.org.table(cursor.plan.kind.name)
        rows = (table.get(key_of(row)) or row for row in rows)
    texts: list[str] = []
    length = 0
    for text in call.renderer.rows(cursor.plan, rows, call.root, everything=cursor.everything):
        texts.append(text)
        length += len(text)
        if length > call.quirks.page_bytes:
            break
    end = start + len(texts)
    return _reply(call, cursor, end, texts)


def _reply(call: Call, cursor: Cursor, end: int, texts: list[str]) -> Reply:
    done = end >= len(cursor.rows)
    head = f'{{"totalSize":{len(cursor.rows)},"done":{str(done).lower()},'
    if not done:
        call.cursors.keep(cursor)
        # the documented link goes to /query even for queryAll
        head += f'"nextRecordsUrl":"{call.root}/query/{cursor.key}-{end}",'
    return Reply(200, f'{head}"records":[{",".join(texts)}]}}'.encode("utf-8", "surrogatepass"))


def _groups(plan: Plan, rows: Picked) -> Reply:
    found = aggregated(rows, plan)
    texts = [
        ",".join(
            ['"attributes":{"type":"AggregateResult"}']
            + [f"{json.dumps(each.label)}:{_aggregate_text(each, row[each.label])}" for each in plan.aggregates]
        )
        for row in found
    ]
    body = ",".join(f"{{{text}}}" for text in texts)
    return Reply(200, f'{{"totalSize":{len(found)},"done":true,"records":[{body}]}}'.encode())


def _aggregate_text(each: Any, value: Any) -> str:
    if each.field is None or isinstance(value, int):
        return json.dumps(value)
    return json_value(each.field, value)


def _explained(call: Call, text: str) -> dict[str, Any]:
    """What the optimiser thinks (vendor page "Query Performance Feedback"); the costs are made up."""
    plan = planned(call.org, text)

    def live(row: Row) -> bool:
        return not row.get("IsDeleted")

    found = len(picked(call.org, plan, everything=False))
    total = len(call.org.table(plan.kind.name).pick(live))
    selective = plan.wanted is not None and found * 10 <= total
    return {
        "plans": [
            {
                "cardinality": found,
                "fields": ["SystemModstamp"] if selective else [],
                "leadingOperationType": "Index" if selective else "TableScan",
                "notes": [],
                "relativeCost": round(found / total, 3) if total else 0.0,
                "sobjectCardinality": total,
                "sobjectType": plan.kind.name,
            }
        ],
        "sourceQuery": text,
    }
