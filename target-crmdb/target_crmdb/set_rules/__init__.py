"""Business rules over many records: one SELECT each over the model's views, run once after a load."""

__all__ = ["SetRule", "SetRules", "all_set_rules"]

from target_crmdb.set_rules.reading import SetRule, all_set_rules
from target_crmdb.set_rules.running import SetRules
