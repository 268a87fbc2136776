"""Made-up contacts: 29 columns, about a kilobyte each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bench.shape import BOOKMARK, KEY, Row, Shape, column, key, one_of
from bench.values import day, happens, hundredths, later, moment, sentence, stamp

if TYPE_CHECKING:
    from random import Random

_COUNTRIES = ("DE", "FR", "GB", "IN", "JP", "US")
_STAGES = ("subscriber", "lead", "opportunity", "customer")
_STATUSES = ("NEW", "OPEN", "CONNECTED", "UNQUALIFIED")
_FIRST = ("Ada", "Grace", "José", "Zoë", "Chloé", "Li", "Øyvind", "Amélie", "Noor", "Ivan")
_LAST = ("Lovelace", "O'Neill", "García", "Müller", "Nguyễn", "Smith", "van der Berg", "Łuczak", "Okafor", "Tanaka")
_COLUMNS = {
    KEY: key(),
    **dict.fromkeys(
        (
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
        ),
        column("text"),
    ),
    "country": one_of(_COUNTRIES),
    "lifecyclestage": one_of(_STAGES),
    "hs_lead_status": one_of(_STATUSES),
    **dict.fromkeys(("createdate", BOOKMARK, "notes_last_contacted", "hs_email_last_open_date"), column("timestamptz")),
    "date_of_birth": column("date"),
    **dict.fromkeys(("annualrevenue", "total_revenue", "hs_predictivecontactscore"), column("numeric")),
    **dict.fromkeys(("numemployees", "num_conversion_events"), column("bigint")),
    **dict.fromkeys(("hs_email_optout", "hs_is_contact"), column("boolean")),
    "hubspot_owner_id": column("text"),
}


def _contact(chance: Random, number: int) -> Row:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    domain = f"company{chance.randrange(5000)}.example.com"
    made = moment(chance)
    return {
        KEY: str(10_000_000 + number),
        "email": f"{first}.{number}@{domain}".lower(),
        "firstname": first,
        "lastname": last,
        "company": f"{last} & {chance.choice(_LAST)} Ltd.",
        "jobtitle": chance.choice(("Head of Sales", "CTO", "", None)),
        "phone": f"+1 {chance.randrange(200, 999)}-555-{chance.randrange(10_000):04}",
        "mobilephone": f"+49 151 {chance.randrange(10**7):07}" if happens(chance, 0.5) else None,
        "website": f"https://www.{domain}/",
        "address": f"{chance.randrange(1, 2000)} {chance.choice(_LAST)} Street",
        "city": chance.choice(("Berlin", "São Paulo", "München", "Austin", None)),
        "zip": f"{chance.randrange(100_000):05}",
        "message": sentence(chance, chance.randrange(60)),
        "country": chance.choice((*_COUNTRIES, None)),
        "lifecyclestage": chance.choice((*_STAGES, None)),
        "hs_lead_status": chance.choice((*_STATUSES, None)),
        "createdate": stamp(made),
        BOOKMARK: stamp(made + timedelta(seconds=chance.randrange(10_000_000))),
        "notes_last_contacted": stamp(made + timedelta(days=3)) if happens(chance, 0.6) else None,
        "hs_email_last_open_date": stamp(made + timedelta(days=9)) if happens(chance, 0.4) else None,
        "date_of_birth": day(chance),
        "annualrevenue": hundredths(chance, 10**9),
        "total_revenue": hundredths(chance, 10**7) if happens(chance, 0.7) else None,
        "hs_predictivecontactscore": hundredths(chance, 10_000),
        "numemployees": chance.randrange(100_000),
        "num_conversion_events": chance.randrange(40),
        "hs_email_optout": happens(chance, 0.1),
        "hs_is_contact": True,
        "hubspot_owner_id": str(chance.randrange(1000, 1100)),
    }


def _changed(chance: Random, row: Row) -> Row:
    return {
        **row,
        BOOKMARK: later(chance, row[BOOKMARK]),
        "lifecyclestage": chance.choice(("opportunity", "customer")),
        "total_revenue": hundredths(chance, 10**7),
        "message": sentence(chance, chance.randrange(60)),
    }


CONTACTS = Shape("contacts", _COLUMNS, _contact, _changed)
