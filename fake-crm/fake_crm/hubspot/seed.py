"""A made-up but believable account: the same for the same seed, of any size."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot import catalog, seed_others
from fake_crm.hubspot.kinds import MAIN
from fake_crm.hubspot.marketing_seed import add_marketing
from fake_crm.hubspot.pipelines import Stage
from fake_crm.hubspot.properties import Property

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fake_crm.hubspot.world import World

    Values = dict[str, str | None]

_FIRST = ("Ada", "Grace", "Linus", "Chloé", "José", "Łukasz", "Mei", "Omar", "Priya", "Søren", "Zoë", "Ngozi", "Ivan")
_LAST = ("Lovelace", "Hopper", "Müller", "O'Brien", "Nguyễn", "García", "Smith", "Okafor", "Sato", "de Vries", "Kim")
_CITIES = ("Berlin", "Lyon", "Kraków", "Lagos", "Osaka", "São Paulo", "Austin", "Leeds", "Tromsø")
_COUNTRIES = ("Germany", "France", "Poland", "Nigeria", "Japan", "Brazil", "United States", "United Kingdom", "Norway")
_JOBS = ("CEO", "Buyer", "Head of Sales", "Engineer", "Office Manager", "CFO")
_NOUNS = ("Analytics", "Logistics", "Foods", "Robotics", "Textiles", "Energy", "Media", "Clinics")
_SUBJECTS = ("Cannot log in", "Invoice is wrong", "Delivery is late", "How do I export?", "Crash on start")
_REMARKS = ("Met at the fair.\nWants a call.", 'Said "later"; try in May', "Préfère le français — merci 🙂", "a,b;c\td")
_DAY = 86_400_000
_SPAN = 730 * _DAY  # records were made within two years
_POOL = 97  # sets of further properties that records share; prime, so that they do not fall in step with anything
_EXTRA_TYPES = ("string", "number", "bool", "date", "datetime", "enumeration")
_LEVELS = (("a", "Level A"), ("b", "Level B"), ("c", "Level C"))

DEAL_STAGES = (
    ("appointmentscheduled", "Appointment scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified to buy", "0.4"),
    ("contractsent", "Contract sent", "0.9"),
    ("closedwon", "Closed won", "1.0"),
    ("closedlost", "Closed lost", "0.0"),
)
TICKET_STAGES = (("1", "New", "OPEN"), ("2", "Waiting on contact", "OPEN"), ("4", "Closed", "CLOSED"))


class Seeder:
    """Fills a world.

    `until` is the latest stamp, in epoch milliseconds; `properties` the number of definitions that each main type has
    at least (custom ones are added).
    """

    def __init__(self, world: World, seed: int, until: int, properties: int = 0) -> None:
        self._world = world
        self._random = Random(seed)  # noqa: S311 - made-up data
        self._until = until
        self._properties = properties
        self._owners: list[str] = []

    def fill(self, sizes: Mapping[str, int]) -> None:
        """Make owners, pipelines and the given numbers of records, then associate them."""
        self._owners = add_owners(self._world)
        add_pipelines(self._world)
        makers: dict[str, Callable[[int], Values]] = {
            "companies": self._company,
            "contacts": self._contact,
            "deals": self._deal,
            "tickets": self._ticket,
        }
        ids = {name: self._records(name, sizes.get(name, 0), make) for name, make in makers.items()}
        self._associate(ids)
        add_marketing(self._world, ids["contacts"], self._until)
        for name, count in sizes.items():
            if name not in makers:
                self.fill_other(name, count)

    def fill_other(self, name: str, count: int) -> None:
        """Make records of a type that is none of the main ones, switched on and with a pipeline where it needs it."""
        store = seed_others.prepared(self._world, name)
        self._records(store.kind.name, count, lambda at: seed_others.values(store, at, self._until))

    def _records(self, name: str, count: int, make: Callable[[int], Values]) -> list[str]:
        pool = self._extras(name)
        made = []
        for at in range(count):
            created = self._until - _SPAN + at * _SPAN // max(count, 1)
            updated = created + int(self._random.random() * (self._until - created))
            common = pool[at % _POOL] if pool else None
            own = make(at)
            made.append(self._world.put(name, own, created=created, updated=updated, common=common))
        return made

    def _contact(self, at: int) -> Values:
        first, last, place = self._pick(_FIRST), self._pick(_LAST), self._below(len(_CITIES))
        values: Values = {
            "email": f"person{at}@example{at % 50}.com",
            "firstname": first,
            "lastname": last,
            "phone": f"+49 30 {1_000_000 + at}",
            "jobtitle": self._pick(_JOBS),
            "city": _CITIES[place],
            "country": _COUNTRIES[place],
            "lifecyclestage": self._pick(catalog.LIFECYCLE),
            "hubspot_owner_id": self._pick(self._owners),
            "customer_score": str(self._below(1000) / 10),
            "is_vip": "true" if at % 17 == 0 else "false",
            "num_associated_deals": str(at % 4),
            "num_employees": str(self._below(5000)),
        }
        if at % 3 == 0:
            values["newsletter_since"] = f"20{10 + at % 15}-0{1 + at % 9}-{10 + at % 18}"
            values["interests"] = ";".join(catalog.INTERESTS[: 1 + at % 4])
            values["hs_lead_status"] = self._pick(catalog.LEAD_STATUS)
        return {**values, **_traps_of_contact(at)}

    def _company(self, at: int) -> Values:
        name, place = f"{self._pick(_LAST)} {self._pick(_NOUNS)}", self._below(len(_CITIES))
        return {
            "name": name,
            "domain": f"example{at}.com",
            "website": f"https://example{at}.com/?a=1&b=ü",
            "city": _CITIES[place],
            "country": _COUNTRIES[place],
            "industry": self._pick(catalog.INDUSTRIES),
            "numberofemployees": str(1 + self._below(20_000)),
            # a number with text in it where nobody knew better
            "annualrevenue": "N/A" if at % 41 == 40 else str(self._below(90_000_000)),  # noqa: PLR2004 - the last of 41
            "hubspot_owner_id": self._pick(self._owners),
            "customer_number": f"{at:07}",
            "region": self._pick(catalog.REGIONS),
            "is_partner": "true" if at % 5 == 0 else "false",
            "contract_start": f"20{10 + at % 15}-0{1 + at % 9}-{10 + at % 18}",
        }

    def _deal(self, at: int) -> Values:
        stage, label, _ = self._pick(DEAL_STAGES)
        return {
            "dealname": f"Deal {at}: {label}",
            "amount": None if at % 13 == 0 else f"{100 + self._below(9_000_000) / 100:.2f}",
            "closedate": iso(self._until + (at % 90 - 60) * _DAY),
            "pipeline": "default",
            "dealstage": stage,
            "deal_currency_code": self._pick(catalog.CURRENCIES),
            "dealtype": "newbusiness" if at % 2 else "existingbusiness",
            "hs_is_closed": "true" if stage.startswith("closed") else "false",
            "hubspot_owner_id": self._pick(self._owners),
            "discount_percent": ("", "5", "7.5", "1;2")[at % 4] if at % 29 == 0 else "0",
            "is_strategic": "true" if at % 7 == 0 else "false",
        }

    def _ticket(self, at: int) -> Values:
        stage, _, state = self._pick(TICKET_STAGES)
        return {
            "subject": self._pick(_SUBJECTS),
            "content": self._pick(_REMARKS),
            "hs_pipeline": "0",
            "hs_pipeline_stage": stage,
            "hs_ticket_priority": self._pick(catalog.PRIORITIES),
            "closed_date": iso(self._until - at * 1000) if state == "CLOSED" else None,
            "hubspot_owner_id": self._pick(self._owners),
            "escalated": "true" if at % 11 == 0 else "false",
        }

    def _associate(self, ids: Mapping[str, Sequence[str]]) -> None:
        companies, contacts = ids["companies"], ids["contacts"]
        for at, contact in enumerate(contacts if companies else ()):
            if at % 10:  # one in ten belongs to no company
                self._link("contacts", contact, "companies", companies[at % len(companies)])
        for name in ("deals", "tickets"):
            for at, record in enumerate(ids[name]):
                if companies and at % 8:
                    self._link(name, record, "companies", companies[at % len(companies)])
                if contacts:
                    self._link(name, record, "contacts", contacts[at * 7 % len(contacts)])

    def _link(self, source: str, a: str, target: str, b: str) -> None:
        self._world.associate(source, a, target, b, primary=target == "companies")

    def _extras(self, name: str) -> list[dict[str, str | None]]:
        """Add custom properties up to the wished number; sets of values that records share."""
        missing = self._properties - len(self._world.store(name).properties)
        names = [(f"custom_{at:03}", _EXTRA_TYPES[at % len(_EXTRA_TYPES)]) for at in range(max(missing, 0))]
        for each, kind in names:
            options = _LEVELS if kind == "enumeration" else ()
            self._world.add_property(name, Property(each, kind, options=options, hubspot_defined=False))
        return [{each: self._value(kind, at) for each, kind in names} for at in range(_POOL)] if names else []

    def _value(self, kind: str, at: int) -> str | None:
        values = {
            "string": f"text {at}",
            "number": str(self._below(100_000) / 100),
            "bool": "true" if at % 2 else "false",
            "date": f"2024-0{1 + at % 9}-{10 + at % 18}",
            "datetime": iso(self._until - at * _DAY),
            "enumeration": _LEVELS[at % 3][0],
        }
        return None if at % 6 == 5 else values[kind]  # noqa: PLR2004 - every sixth is empty

    def _below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def _pick(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._random.random() * len(choices))]


def _traps_of_contact(at: int) -> Values:
    """Values that are not what their property's type says, as real portals have them."""
    values: Values = {}
    if at % 37 == 5:  # noqa: PLR2004 - some contact near the start, then every 37th
        values["hs_hd_ticket_ids"] = f"{1000 + at};{2000 + at}"
    if at % 31 == 7:  # noqa: PLR2004 - as above
        values["customer_score"] = ("", "N/A", " ")[at % 3]
    if at % 23 == 3:  # noqa: PLR2004 - as above
        values["remarks"] = _REMARKS[at % len(_REMARKS)]
    return values


def add_owners(world: World) -> list[str]:
    """Four owners, the last one archived; records may still name it. Two of them are a team of a larger one."""
    world.people.team("Sales", parent="Revenue")
    return [
        world.add_owner("Dana", "Reed", "dana.reed@example.com", team="Sales"),
        world.add_owner("Emil", "Žák", "emil.zak@example.com", team="Sales"),
        world.add_owner("Fatima", "Al-Sayed", "fatima@example.com"),
        world.add_owner("Gone", "Person", "gone@example.com", archived=True),
    ]


def add_pipelines(world: World) -> None:
    """The pipelines that every account is born with."""
    deals = [
        Stage(key, label, {"isClosed": str(share in {"1.0", "0.0"}).lower(), "probability": share})
        for key, label, share in DEAL_STAGES
    ]
    world.add_pipeline("deals", "default", "Sales pipeline", deals)
    tickets = [Stage(key, label, {"ticketState": state}) for key, label, state in TICKET_STAGES]
    world.add_pipeline("tickets", "0", "Support pipeline", tickets)


def ready(world: World) -> None:
    """Make the main types known, so that even an empty account lists them."""
    for name in MAIN:
        world.store(name)
