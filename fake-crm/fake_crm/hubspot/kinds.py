"""HubSpot's object types (vendor page "Understanding the CRM"): names, ids, and what differs between them."""

from __future__ import annotations

from dataclasses import dataclass

from fake_crm.hubspot.errors import ApiError


@dataclass(frozen=True)
class Kind:
    """One object type. `singular` is its name in messages and in association types."""

    name: str
    type_id: str
    singular: str
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    title: str = "hs_name"
    defaults: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()

    @property
    def is_custom(self) -> bool:
        """Whether the account's users defined it."""
        return self.type_id.startswith("2-")

    @property
    def has_pipelines(self) -> bool:
        """Whether its records go through the stages of pipelines (vendor page "Pipelines")."""
        return self.is_custom or self.name in _PIPELINED

    @property
    def scope(self) -> str:
        """The scope that reads it; unverified for the rarer types."""
        if self.is_custom:
            return "crm.objects.custom.read"
        return "tickets" if self.name == "tickets" else f"crm.objects.{self.scope_name}.read"

    @property
    def scope_name(self) -> str:
        """What its scopes call it (the vendor's OpenAPI specification)."""
        return {"goal_targets": "goals", "commerce_payments": "commercepayments"}.get(self.name, self.name)

    @property
    def write_scope(self) -> str:
        """The scope that writes it."""
        return self.scope if self.name == "tickets" else self.scope.replace(".read", ".write")

    @property
    def always(self) -> tuple[str, ...]:
        """Properties that come back even if they were not asked for (observed on the live API)."""
        return (self.created, "hs_object_id", self.modified)


_MAIN = (
    Kind(
        "contacts", "0-1", "contact", "createdate", "lastmodifieddate", "lastname",
        ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        ("firstname", "lastname", "email", "phone", "company"),
    ),
    Kind(
        "companies", "0-2", "company", "createdate", "hs_lastmodifieddate", "name",
        ("name", "domain", "createdate", "hs_lastmodifieddate", "hs_object_id"),
        ("name", "domain", "phone", "website"),
    ),
    Kind(
        "deals", "0-3", "deal", "createdate", "hs_lastmodifieddate", "dealname",
        ("dealname", "amount", "closedate", "pipeline", "dealstage", "createdate", "hs_lastmodifieddate",
         "hs_object_id"),
        ("dealname", "pipeline", "dealstage", "description", "dealtype"),
    ),
    Kind(
        "tickets", "0-5", "ticket", "createdate", "hs_lastmodifieddate", "subject",
        ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "createdate",
         "hs_lastmodifieddate", "hs_object_id"),
        ("subject", "content"),
    ),
)  # fmt: skip
_OTHERS = {
    "products": ("0-7", "product"),
    "line_items": ("0-8", "line_item"),
    "quotes": ("0-14", "quote"),
    "communications": ("0-18", "communication"),
    "feedback_submissions": ("0-19", "feedback_submission"),
    "tasks": ("0-27", "task"),
    "notes": ("0-46", "note"),
    "meetings": ("0-47", "meeting_event"),
    "calls": ("0-48", "call"),
    "emails": ("0-49", "email"),
    "invoices": ("0-53", "invoice"),
    "marketing_events": ("0-54", "marketing_event"),
    "subscriptions": ("0-69", "subscription"),
    "goal_targets": ("0-74", "goal_target"),
    "discounts": ("0-84", "discount"),
    "fees": ("0-85", "fee"),
    "taxes": ("0-86", "tax"),
    "commerce_payments": ("0-101", "commerce_payment"),
    "users": ("0-115", "user"),
    "postal_mail": ("0-116", "postal_mail"),
    "orders": ("0-123", "order"),
    "leads": ("0-136", "lead"),
    "carts": ("0-142", "cart"),
    "services": ("0-162", "service"),
    "courses": ("0-410", "course"),
    "listings": ("0-420", "listing"),
    "appointments": ("0-421", "appointment"),
    "projects": ("0-970", "project"),
}
_PIPELINED = frozenset({"deals", "tickets", "appointments", "courses", "listings", "orders", "services", "leads"})
# Vendor page "Search the CRM": these are stamped by `createdate`, the others by `hs_createdate`.
_CREATEDATE = frozenset(
    {
        "carts", "discounts", "fees", "invoices", "leads", "line_items", "orders", "commerce_payments", "products",
        "taxes",
    }
)  # fmt: skip
_TITLES = {
    "products": "name",
    "line_items": "name",
    "quotes": "hs_title",
    "tasks": "hs_task_subject",
    "notes": "hs_note_body",
    "meetings": "hs_meeting_title",
    "calls": "hs_call_title",
    "emails": "hs_email_subject",
    "leads": "hs_lead_name",
}
# The object types that an account may switch on and off (vendor page "Object library").
LIBRARY = ("0-162", "0-410", "0-420", "0-421")


def _other(name: str, type_id: str, singular: str) -> Kind:
    created = "createdate" if name in _CREATEDATE else "hs_createdate"
    return Kind(name, type_id, singular, created, title=_TITLES.get(name, "hs_name"))


STANDARD = _MAIN + tuple(_other(name, *parts) for name, parts in _OTHERS.items())
MAIN = tuple(kind.name for kind in _MAIN)


class Kinds:
    """The object types of one account: the standard ones and custom ones as they are defined."""

    def __init__(self) -> None:
        self._by_key: dict[str, Kind] = {}
        for kind in STANDARD:
            self.add(kind)

    def add(self, kind: Kind, *aliases: str) -> None:
        """Make a type known by its name, its id, its singular (as the vendor's examples do) and other names."""
        for key in (kind.name, kind.type_id, kind.singular, *aliases):
            self._by_key[key] = kind

    def remove(self, kind: Kind) -> None:
        """Forget a type under all its names."""
        self._by_key = {key: known for key, known in self._by_key.items() if known is not kind}

    def find(self, key: str) -> Kind:
        """The type of a name or id; 400 as HubSpot refuses an unknown one."""
        kind = self._by_key.get(key)
        if kind is None:
            raise ApiError(400, f"Unable to infer object type from: {key}")
        return kind
