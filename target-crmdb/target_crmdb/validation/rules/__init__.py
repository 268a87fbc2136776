"""Business rules over one canonical record: named, pure functions. Those over many records are in `set_rules`."""

__all__ = ["RecordRule", "shipped_rules"]

from target_crmdb.validation.rules.rule import RecordRule
from target_crmdb.validation.rules.shipped import shipped_rules
