"""What the control door of a fake Salesforce does beside what all do."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.edits import Edits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.control import Order
    from fake_crm.salesforce.fake import FakeSalesforce

    Json = dict[str, Any]


def orders(fake: FakeSalesforce) -> Mapping[tuple[str, str], Order]:
    """(method, name) → the answer to a JSON object."""
    edits = Edits(fake.org)
    return {
        ("GET", "ids"): lambda _: _ids(fake),
        ("POST", "edit"): edits.make,
        ("POST", "transaction"): edits.transaction,
        ("POST", "expire"): lambda order: _expire(fake, order),
        ("POST", "usage"): lambda order: _spend(fake, order),
        ("POST", "jobs"): lambda order: _fail(fake, order),
        ("POST", "quirks"): lambda order: _change(fake, order),
    }


def _ids(fake: FakeSalesforce) -> Json:
    return {name: [row["Id"] for row in fake.org.records(name)] for name in fake.org.counts()}


def _expire(fake: FakeSalesforce, order: Json) -> Json:
    """`{"sessions": true, "locators": true}`: let all of them be over."""
    known = {"sessions": fake.access.expire, "locators": fake.cursors.expire}
    done = [name for name, wanted in order.items() if wanted]
    for name in done:
        known[name]()
    return {"expired": done}


def _spend(fake: FakeSalesforce, order: Json) -> Json:
    """`{"DailyApiRequests": 1000}`: let others have used so much."""
    for name, amount in order.items():
        if name not in fake.usage.limits.named():
            raise ValueError(f"there is no limit {name}")
        fake.usage.spend(float(amount), name)
    return fake.usage.all()


def _fail(fake: FakeSalesforce, order: Json) -> Json:
    """`{"fail": {"Account": "why"}}`: let the next job of an object fail."""
    for name, message in order["fail"].items():
        fake.jobs.fail_next(fake.org.schema.find(name).name, str(message))
    return {"failing": list(order["fail"])}


def _change(fake: FakeSalesforce, order: Json) -> Json:
    """`{"bursts": false}`: change its ways."""
    known = {each.name for each in fields(fake.quirks)}
    unknown = sorted(order.keys() - known)
    if unknown:
        raise ValueError(f"unknown quirk {unknown[0]}; known: {', '.join(sorted(known))}")
    for name, value in order.items():
        setattr(fake.quirks, name, _plain(value))
    return {"changed": list(order)}


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list) else value
