"""Made-up data: the same for the same seed, with stamps of the two years before the fake's clock starts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fake_crm.clock import instant_of, millis_of
from fake_crm.pipedrive.shapes import DEFAULTS, EMPTY_ADDRESS, OWN_FIELDS
from fake_crm.pipedrive.world import stamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.pipedrive.definitions import Field
    from fake_crm.pipedrive.world import World

    Json = dict[str, Any]

SIZES: dict[str, int] = {
    "users": 3,
    "roles": 2,
    "permission_sets": 3,
    "currencies": 3,
    "activity_types": 3,
    "lead_labels": 3,
    "lead_sources": 3,
    "filters": 2,
    "goals": 2,
    "pipelines": 2,
    "stages": 6,
    "organizations": 15,
    "persons": 40,
    "products": 8,
    "deals": 30,
    "leads": 12,
    "activities": 30,
    "notes": 12,
    "files": 5,
    "call_logs": 4,
    "mail_threads": 4,
    "mail_messages": 8,
    "boards": 1,
    "phases": 2,
    "projects": 4,
    "tasks": 4,
}
"""How many rows there are of a table unless told otherwise; parents come before what refers to them."""

KINDS = (
    "varchar", "double", "monetary", "enum", "set", "date", "daterange", "time", "timerange", "address", "phone",
    "text", "user", "org", "people", "varchar_auto",
)  # fmt: skip
_WORDS = ("Budget", "Region", "Source", "Plan", "Segment", "Renewal", "Visit", "Shift", "Site", "Backup", "Remark",
          "Coach", "Partner", "Contact", "Score", "Phase")  # fmt: skip
_WITH_FIELDS = ("deal", "person", "organization", "product")
_DAYS = 730
_ARCHIVED_EVERY, _WON_EVERY, _LOST_EVERY, _SHELVED_EVERY = 9, 5, 7, 4
_UNLINKED, _UNSET = 0.1, 1 / 6


class Seeder:
    """Fills a new company."""

    def __init__(self, world: World, seed: int, fields: int) -> None:
        self._world = world
        self._random = random.Random(seed)  # noqa: S311 - made-up data
        self._until = instant_of(world.now())
        self._fields = fields
        self._made: dict[str, int] = {}

    def fill(self, sizes: Mapping[str, int]) -> None:
        """Make the fields, then so many rows of each table; nothing of it is in any changelog but its beginning."""
        self._define()
        for table, count in {**SIZES, **sizes}.items():
            for number in range(count):
                self._make(table, number)
            self._made[table] = count

    def _define(self) -> None:
        for entity in _WITH_FIELDS:
            for n in range(self._fields):
                kind = KINDS[n % len(KINDS)]
                options = ("Red", "Green", "Blue") if kind in {"enum", "set"} else ()
                name = _WORDS[n % len(_WORDS)] if n < len(_WORDS) else f"{_WORDS[n % len(_WORDS)]} {n}"
                self._world.definitions.add(entity, name, kind, options)

    def _make(self, table: str, number: int) -> None:
        added, updated = sorted(self._random.randrange(_DAYS * 86_400) for _ in range(2))
        stamps = [stamp_of(self._millis(seconds), table) for seconds in (added, updated)]
        values: Json = {"add_time": stamps[0], "update_time": stamps[1]}
        values = {name: value for name, value in values.items() if name in _stamped(table)}
        if entity := OWN_FIELDS.get(table):
            own = self._world.definitions.custom(entity)
            values["custom_fields"] = {code: self._value(each) for code, each in own.items()}
        maker = getattr(self, f"_{table}", None)
        self._world.create(table, **values, **(maker(number) if maker else self._named(table, number)))

    def _millis(self, seconds: int) -> int:
        return millis_of(self._until - timedelta(seconds=_DAYS * 86_400 - seconds)) + self._random.randrange(1000)

    def _one(self, table: str) -> Any:
        count = self._made.get(table, 0)
        return self._random.randrange(1, count + 1) if count and self._random.random() > _UNLINKED else None

    @staticmethod
    def _named(table: str, number: int) -> Json:
        name = next((name for name in ("title", "name", "subject", "content") if name in DEFAULTS[table]), None)
        return {} if name is None else {name: f"{table} {number + 1}"}

    def _deals(self, number: int) -> Json:
        stage = self._world.get("stages", self._one("stages") or 1) or {"id": 1, "pipeline_id": 1}
        archived = number % _ARCHIVED_EVERY == _ARCHIVED_EVERY - 1
        status = "won" if number % _WON_EVERY == 1 else "lost" if number % _LOST_EVERY == 1 else "open"
        return {
            "title": f"Deal {number + 1}", "value": self._random.randrange(1, 100_000) / 4, "status": status,
            "stage_id": stage["id"], "pipeline_id": stage["pipeline_id"], "person_id": self._one("persons"),
            "org_id": self._one("organizations"), "label_ids": self._random.sample([1, 2, 3], number % 3),
            "is_archived": archived, "archive_time": "2026-10-01T00:00:00Z" if archived else None,
            **self._hanging(number),
        }  # fmt: skip

    def _hanging(self, number: int) -> Json:
        """Products, installments, participants and followers of the deal that is made next."""
        deal, world = number + 1, self._world
        if number % 2 == 0:
            for position in range(1 + number % 3):
                world.create("deal_products", deal_id=deal, product_id=1 + position, order_nr=position + 1)
        if number % 5 == 0:
            world.create("installments", deal_id=deal, amount=100 + number)
        if number % 3 == 0:
            world.create("participants", deal_id=deal, person_id=self._one("persons") or 1)
        if number % 4 == 0:
            world.create("followers", deal_id=deal, user_id=1)
        return {}

    def _persons(self, number: int) -> Json:
        mail = {"value": f"person{number + 1}@example.com", "primary": True, "label": "work"}
        phone = {"value": f"+372{5_000_000 + number}", "primary": True, "label": "mobile"}
        return {
            "name": f"Person {number + 1}", "first_name": "Person", "last_name": str(number + 1), "emails": [mail],
            "phones": [phone], "org_id": self._one("organizations"), "label_ids": [1 + number % 3],
        }  # fmt: skip

    def _organizations(self, number: int) -> Json:
        address = {**EMPTY_ADDRESS, "value": f"Main St {number + 1}", "country": "Estonia", "locality": "Tallinn"}
        return {"name": f"Organization {number + 1}", "address": address, "employee_count": number}

    def _leads(self, number: int) -> Json:
        labels = [row["id"] for row in self._world.rows("lead_labels")]
        return {
            "title": f"Lead {number + 1}", "value": {"amount": 100 * number, "currency": "EUR"} if number % 2 else None,
            "person_id": self._one("persons"), "label_ids": labels[: number % 3], "is_archived": _is_shelved(number),
        }  # fmt: skip

    def _stages(self, number: int) -> Json:
        pipelines = len(self._world.rows("pipelines")) or 1
        return {"name": f"Stage {number + 1}", "order_nr": number + 1, "pipeline_id": 1 + number % pipelines}

    def _products(self, number: int) -> Json:
        price = {"product_id": number + 1, "price": 5.5, "currency": "EUR", "cost": 2, "direct_cost": 1, "notes": ""}
        return {"name": f"Product {number + 1}", "code": f"P{number + 1}", "prices": [price]}

    def _activities(self, number: int) -> Json:
        person = self._one("persons")
        return {
            "location": {**EMPTY_ADDRESS, "value": "Main St 1"} if number % 2 else None,
            "subject": f"Call {number + 1}", "deal_id": self._one("deals"), "person_id": person,
            "due_date": "2026-03-01", "due_time": "15:00:00", "duration": "01:00:00", "done": number % 2 == 0,
            "participants": [{"person_id": person, "primary": True}] if person else [],
        }  # fmt: skip

    def _mail_threads(self, number: int) -> Json:
        stamp = f"2026-01-0{1 + number % 9}T10:00:00.000Z"
        return {"folders": [("inbox", "sent", "archive")[number % 3]], "last_message_timestamp": stamp}

    def _mail_messages(self, number: int) -> Json:
        return {"mail_thread_id": 1 + number % max(len(self._world.rows("mail_threads")), 1)}

    def _projects(self, number: int) -> Json:
        return {
            "title": f"Project {number + 1}",
            "archive_time": "2026-01-01T00:00:00.000Z" if _is_shelved(number) else None,
        }

    def _value(self, field: Field) -> Any:
        """A value of the kind, as v2 has it; one in six is not set."""
        if self._random.random() < _UNSET:
            return None
        number = self._random.randrange(1, 1000)
        day = f"2026-0{1 + number % 9}-1{number % 9}"
        options = [each.id for each in field.options or ()]
        made: Json = {
            "double": number / 8, "monetary": {"value": number, "currency": "EUR"}, "date": day,
            "daterange": {"value": day, "until": "2027-01-01"}, "user": 1, "org": 1, "people": 1,
            "time": {"value": "10:30:00", "timezone_id": 1, "timezone_name": "Europe/Berlin"},
            "timerange": {"value": "10:30:00", "until": "11:00:00", "timezone_id": 1, "timezone_name": "Europe/Berlin"},
            "address": {**EMPTY_ADDRESS, "value": f"Side St {number}", "country": "Estonia", "postal_code": "01001"},
            "phone": f"+372{number}",
        }  # fmt: skip
        if field.kind in made:
            return made[field.kind]
        if options:
            return options[number % len(options)] if field.kind == "enum" else options[: 1 + number % len(options)]
        return f"Text {number}"


def _is_shelved(number: int) -> bool:
    return number % _SHELVED_EVERY == _SHELVED_EVERY - 1


def _stamped(table: str) -> frozenset[str]:
    """Which of the two stamps a table has."""
    if table in {"users", "roles", "permission_sets", "currencies", "lead_sources", "goals", "call_logs"}:
        return frozenset()
    return frozenset({"add_time", "update_time"})
