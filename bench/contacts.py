"""Made-up contacts, 29 columns, about a kilobyte each: the same rows as Singer messages and as CSV for psql."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Row = dict[str, Any]

# column -> (JSON schema, type in Postgres); the first is the key
COLUMNS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "id": ({"type": "string"}, "text"),
    **{
        name: ({"type": ["string", "null"]}, "text")
        for name in (
            "email",
            "firstname",
            "lastname",
            "company",
            "jobtitle",
            "phone",
            "mobilephone",
            "website",
            "address",
            "city",
            "zip",
            "message",
        )
    },
    "country": ({"type": ["string", "null"], "enum": ["DE", "FR", "GB", "IN", "JP", "US", None]}, "text"),
    "lifecyclestage": (
        {"type": ["string", "null"], "enum": ["subscriber", "lead", "opportunity", "customer", None]},
        "text",
    ),
    "hs_lead_status": ({"type": ["string", "null"], "enum": ["NEW", "OPEN", "CONNECTED", "UNQUALIFIED", None]}, "text"),
    **{
        name: ({"type": ["string", "null"], "format": "date-time"}, "timestamptz")
        for name in ("createdate", "lastmodifieddate", "notes_last_contacted", "hs_email_last_open_date")
    },
    "date_of_birth": ({"type": ["string", "null"], "format": "date"}, "date"),
    **{
        name: ({"type": ["number", "null"]}, "numeric")
        for name in ("annualrevenue", "total_revenue", "hs_predictivecontactscore")
    },
    **{name: ({"type": ["integer", "null"]}, "bigint") for name in ("numemployees", "num_conversion_events")},
    **{name: ({"type": ["boolean", "null"]}, "boolean") for name in ("hs_email_optout", "hs_is_contact")},
    "hubspot_owner_id": ({"type": ["string", "null"]}, "text"),
}
STREAM = "contacts"
NOTHING = "start"  # the load without rows: what a program needs before the first one
_FIRST = ("Ada", "Grace", "José", "Zoë", "Chloé", "Li", "Øyvind", "Amélie", "Noor", "Ivan")
_LAST = ("Lovelace", "O'Neill", "García", "Müller", "Nguyễn", "Smith", "van der Berg", "Łuczak", "Okafor", "Tanaka")
_WORDS = (
    "please",
    "call",
    "about",
    "the",
    "offer",
    'a "quoted" word',
    "commas, too",
    "back\\slash",
    "naïve",
    "line\nbreak",
)
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_STATE_EVERY = 10_000
_CHANGED = 0.30
_NEW = 0.05


@dataclass(frozen=True)
class Feed:
    """One load: the same rows in the two forms."""

    rows: int
    singer: Path
    csv: Path


def write_feeds(folder: Path, rows: int, seed: int = 42) -> dict[str, Feed]:
    """Write the loads by name: none; all rows; 30 % of them changed and 5 % new, in any order; the same again."""
    chance = random.Random(seed)
    table = [_contact(chance, number) for number in range(rows)]
    changed = [_later(chance, row) for row in chance.sample(table, int(rows * _CHANGED))]
    added = [_contact(chance, rows + number) for number in range(int(rows * _NEW))]
    update = [*changed, *added]
    chance.shuffle(update)
    changes = _write(folder / "update", update)
    return {
        NOTHING: _write(folder / NOTHING, []),
        "initial": _write(folder / "initial", table),
        "update": changes,
        "unchanged": changes,
    }


def _contact(chance: random.Random, number: int) -> Row:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    domain = f"company{chance.randrange(5000)}.example.com"
    made = _BEGIN + timedelta(seconds=chance.randrange(60_000_000), milliseconds=chance.randrange(1000))
    return {
        "id": str(10_000_000 + number),
        "email": f"{first}.{number}@{domain}".lower(),
        "firstname": first,
        "lastname": last,
        "company": f"{last} & {chance.choice(_LAST)} Ltd.",
        "jobtitle": chance.choice(("Head of Sales", "CTO", "", None)),
        "phone": f"+1 {chance.randrange(200, 999)}-555-{chance.randrange(10_000):04}",
        "mobilephone": f"+49 151 {chance.randrange(10**7):07}" if _happens(chance, 0.5) else None,
        "website": f"https://www.{domain}/",
        "address": f"{chance.randrange(1, 2000)} {chance.choice(_LAST)} Street",
        "city": chance.choice(("Berlin", "São Paulo", "München", "Austin", None)),
        "zip": f"{chance.randrange(100_000):05}",
        "message": " ".join(chance.choices(_WORDS, k=chance.randrange(60))),
        "country": chance.choice(("DE", "FR", "GB", "IN", "JP", "US", None)),
        "lifecyclestage": chance.choice(("subscriber", "lead", "opportunity", "customer", None)),
        "hs_lead_status": chance.choice(("NEW", "OPEN", "CONNECTED", "UNQUALIFIED", None)),
        "createdate": _stamp(made),
        "lastmodifieddate": _stamp(made + timedelta(seconds=chance.randrange(10_000_000))),
        "notes_last_contacted": _stamp(made + timedelta(days=3)) if _happens(chance, 0.6) else None,
        "hs_email_last_open_date": _stamp(made + timedelta(days=9)) if _happens(chance, 0.4) else None,
        "date_of_birth": f"{chance.randrange(1940, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
        "annualrevenue": chance.randrange(10**9) / 100,
        "total_revenue": chance.randrange(10**7) / 100 if _happens(chance, 0.7) else None,
        "hs_predictivecontactscore": chance.randrange(10_000) / 100,
        "numemployees": chance.randrange(100_000),
        "num_conversion_events": chance.randrange(40),
        "hs_email_optout": _happens(chance, 0.1),
        "hs_is_contact": True,
        "hubspot_owner_id": str(chance.randrange(1000, 1100)),
    }


def _happens(chance: random.Random, share: float) -> bool:
    return chance.random() < share


def _later(chance: random.Random, row: Row) -> Row:
    modified = datetime.fromisoformat(row["lastmodifieddate"]) + timedelta(days=chance.randrange(1, 90))
    return {
        **row,
        "lastmodifieddate": _stamp(modified),
        "lifecyclestage": chance.choice(("opportunity", "customer")),
        "total_revenue": chance.randrange(10**7) / 100,
        "message": " ".join(chance.choices(_WORDS, k=chance.randrange(60))),
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(stem: Path, rows: list[Row]) -> Feed:
    feed = Feed(len(rows), stem.with_suffix(".singer"), stem.with_suffix(".csv"))
    with feed.singer.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(message, ensure_ascii=False) + "\n" for message in _messages(rows))
    with feed.csv.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerows([r"\N" if row[name] is None else row[name] for name in COLUMNS] for row in rows)
    return feed


def _messages(rows: list[Row]) -> Iterator[Row]:
    yield {
        "type": "SCHEMA",
        "stream": STREAM,
        "schema": {"type": "object", "properties": {name: schema for name, (schema, _) in COLUMNS.items()}},
        "key_properties": ["id"],
        "bookmark_properties": ["lastmodifieddate"],
    }
    for number, row in enumerate(rows, 1):
        yield {"type": "RECORD", "stream": STREAM, "record": row}
        if number % _STATE_EVERY == 0 or number == len(rows):
            yield {"type": "STATE", "value": {"bookmarks": {STREAM: {"position": number}}}}
