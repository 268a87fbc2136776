"""Objects that people made: one with every type of field, a big object, and any number of ordinary ones."""

from __future__ import annotations

from fake_crm.salesforce.fields import Field, flag, location, number, pick, plain, ref, text, whole
from fake_crm.salesforce.objects import CREATED, DELETE_STAMPS, ID, MODIFIED, SObject

COLORS = ("Red", "Green", "Blue", "None")


def custom_objects() -> tuple[SObject, ...]:
    """Fresh definitions of those that every org here has."""
    return (_everything(), _readings())


def custom(name: str, prefix: str, *fields: Field, label: str = "") -> SObject:
    """A custom object with a name, an owner and the system fields."""
    head = (ID, ref("OwnerId", "Group", "User", nillable=False), *DELETE_STAMPS, text("Name", 80, name_field=True))
    shown = label or name.removesuffix("__c").replace("_", " ")
    return SObject.of(name, prefix, (*head, *CREATED, *MODIFIED, *fields), label=shown)


def _everything() -> SObject:
    return custom(
        "Everything__c", "a00",
        text("Text__c", 255, help='Any text; "quotes" too.'), text("Code__c", 40, unique=True, external_id=True,
                                                                   case_sensitive=True),
        text("Long__c", 32768, "textarea"), text("Rich__c", 32768, "textarea", html=True),
        text("Short__c", 255, "textarea"), text("Phone__c", 40, "phone"), text("Link__c", 255, "url"),
        text("Mail__c", 80, "email"), text("Secret__c", 175, "encryptedstring"),
        text("Combo__c", 255, "combobox", picklist=COLORS), pick("Color__c", *COLORS),
        pick("Fixed_Color__c", *COLORS, restricted=True), pick("Colors__c", *COLORS, kind="multipicklist"),
        whole("Whole__c", 8), Field("Huge__c", "long", digits=18), number("Number__c", 18, 0),
        number("Decimal__c", 16, 4), number("Tiny__c", 3, 2), number("Exact__c", 18, 10),
        number("Money__c", 18, 2, "currency"), number("Share__c", 5, 2, "percent"), flag("Flag__c"),
        plain("Day__c", "date"), plain("Moment__c", "datetime"), plain("Hour__c", "time"),
        ref("Account__c", "Account"), *location("Site__c"), plain("Json__c", "json"), plain("Any__c", "anyType"),
        number("Twice__c", 18, 4, formula=_twice, formula_text="Decimal__c * 2"),
        text("Shout__c", 1300, formula=_shout, formula_text="UPPER(Text__c)"),
        flag("Large__c", formula=_large, formula_text="Decimal__c > 1000"),
        plain("Next_Day__c", "date", formula_text="Day__c + 1"),
        text("Number_Text__c", 30, auto_number=True, settable=False),
    )  # fmt: skip


def _readings() -> SObject:
    fields = (
        ID,
        ref("Device__c", "Everything__c", nillable=False),
        plain("Read_At__c", "datetime", nillable=False),
        number("Value__c", 18, 4),
        text("Unit__c", 20),
        ref("CreatedById", "User", settable=False),
        plain("CreatedDate", "datetime", settable=False),
    )
    return SObject.of("Reading__b", "9b0", fields, index=("Device__c", "Read_At__c"), replicateable=False)


def extra_fields(count: int) -> tuple[Field, ...]:
    """Any number of custom fields of the usual types."""
    return tuple(_EXTRA[at % len(_EXTRA)](f"Extra_{at + 1}__c") for at in range(count))


def extra_objects(count: int) -> tuple[SObject, ...]:
    """Any number of ordinary custom objects."""
    prefixes = (f"b{first}{second}" for first in _ALPHABET for second in _ALPHABET)
    return tuple(
        custom(f"Extra_{at + 1}__c", prefix, *extra_fields(8))
        for at, prefix in zip(range(count), prefixes, strict=False)
    )


_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EXTRA = (
    lambda name: text(name, 120),
    lambda name: number(name, 16, 2),
    lambda name: plain(name, "date"),
    lambda name: pick(name, *COLORS),
    flag,
    lambda name: plain(name, "datetime"),
    lambda name: number(name, 18, 2, "currency"),
    lambda name: text(name, 80, "email"),
)


def _twice(row: dict[str, object]) -> object:
    value = row.get("Decimal__c")
    return None if value is None else value * 2  # type: ignore[operator] # a decimal


def _shout(row: dict[str, object]) -> object:
    value = row.get("Text__c")
    return value.upper() if isinstance(value, str) else None


def _large(row: dict[str, object]) -> object:
    value = row.get("Decimal__c")
    return value is not None and value > 1000  # type: ignore[operator] # noqa: PLR2004 - the formula's own number
