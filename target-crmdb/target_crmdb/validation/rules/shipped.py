"""The rules that come with the target."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from target_crmdb.validation.rules.rule import RecordRule

_Record = Mapping[str, Any]
_REACHED_BY = ("email", "phone", "mobile_phone")
_NAMED_BY = ("last_name", "first_name", "full_name")


def _no_email_or_phone(record: _Record) -> str | None:
    if record["email"] or record["phone"] or record["mobile_phone"]:
        return None
    return "has neither an e-mail address nor a phone number"


def _no_name(record: _Record) -> str | None:
    if record["last_name"] or record["first_name"] or record["full_name"]:
        return None
    return "has no name"


def _closes_before_created(record: _Record) -> str | None:
    closed, created = record["close_date"], record["created_at"]
    # a day has no zone: what was closed on the day before, by UTC, may have been the same day where it was closed
    if closed and created and (created.astimezone(UTC).date() - closed).days > 1:
        return "closes before it was created"
    return None


def _won_without_amount_or_close_date(record: _Record) -> str | None:
    if not record["is_won"]:
        return None
    lacking = [name for name in ("amount", "close_date") if record[name] is None]
    return f"is won and has no {' and no '.join(lacking)}" if lacking else None


def _negative_amount(record: _Record) -> str | None:
    return "has a negative amount" if record["amount"] is not None and record["amount"] < 0 else None


def shipped_rules() -> tuple[RecordRule, ...]:
    """Give them all."""
    return (
        RecordRule("contacts.no_email_or_phone", _no_email_or_phone, any_of=_REACHED_BY, met_by=_REACHED_BY),
        RecordRule("contacts.no_name", _no_name, any_of=_NAMED_BY, met_by=_NAMED_BY),
        RecordRule("deals.closes_before_created", _closes_before_created, ("close_date", "created_at")),
        RecordRule(
            "deals.won_without_amount_or_close_date",
            _won_without_amount_or_close_date,
            ("is_won", "amount", "close_date"),
        ),
        RecordRule("deals.negative_amount", _negative_amount, ("amount",)),
    )
