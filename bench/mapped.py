"""Made-up contacts whose fields are mapped and checked one by one; of the checked values 3 % are none of their type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.contacts import CONTACTS
from bench.shape import Row, Shape, column
from bench.values import happens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

_BAD = 0.03
_STATES = ("CA", "TX", "NY", "Florida", "wa", "Illinois")
_AREAS = (212, 303, 312, 404, 415, 512, 617, 702, 713, 818)
# declared as text, as a CSV or a CRM's text field has them, so that each must be read and judged
_TEXTS = ("date_of_birth", "notes_last_contacted", "annualrevenue", "state")
_BAD_VALUES: Mapping[str, str] = {
    "email": "ada(at)example",
    "phone": "555-12",
    "mobilephone": "call me",
    "website": "not a page",
    "zip": "1234567",
    "state": "Atlantis",
    "date_of_birth": "1990-02-30",
    "notes_last_contacted": "yesterday",
    "annualrevenue": "1,234.50 USD",
}
MAPPING: Mapping[str, Any] = {
    "model": {"contacts": {"fields": {"annual_revenue": {"type": "money", "description": "Revenue per year."}}}},
    "streams": {
        "mapped_contacts": {
            "entity": "contacts",
            "id": "id",
            "updated_at": "lastmodifieddate",
            "fields": {
                "email": "email",
                "phone": "phone",
                "mobilephone": "mobile_phone",
                "firstname": "first_name",
                "lastname": "last_name",
                "company": "company_name",
                "jobtitle": "job_title",
                "hubspot_owner_id": "owner_id",
                "lifecyclestage": "lifecycle_stage",
                "website": "website",
                "address": "street",
                "city": "city",
                "state": "state",
                "zip": "zip_code",
                "country": "country",
                "date_of_birth": "birth_date",
                "notes_last_contacted": "last_activity_at",
                "annualrevenue": "annual_revenue",
                "hs_email_optout": "email_opt_out",
                "createdate": "created_at",
            },
        }
    },
}


def _contact(chance: Random, number: int) -> Row:
    row = CONTACTS.make(chance, number)
    row["email"] = f"contact.{number}@{row['email'].partition('@')[2]}"  # nearly all of the world's are ASCII
    row["phone"] = f"({chance.choice(_AREAS)}) {chance.randrange(220, 999)}-{chance.randrange(10_000):04}"
    row["mobilephone"] = f"+1 {chance.choice(_AREAS)} {chance.randrange(220, 999)} {chance.randrange(10_000):04}"
    row["state"] = chance.choice(_STATES)
    row["annualrevenue"] = str(row["annualrevenue"])
    spoilt = {name: bad for name, bad in _BAD_VALUES.items() if happens(chance, _BAD)}
    return row | spoilt


MAPPED = Shape(
    "mapped_contacts", {**CONTACTS.columns, **dict.fromkeys(_TEXTS, column("text"))}, _contact, CONTACTS.change
)
