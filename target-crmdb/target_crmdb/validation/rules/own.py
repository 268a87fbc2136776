"""Rules that other packages bring, by the entry point group `target_crmdb.record_rules`."""

from importlib.metadata import EntryPoint, entry_points

from target_crmdb.exceptions import ConfigError
from target_crmdb.validation.rules.rule import RecordRule
from target_crmdb.validation.rules.shipped import shipped_rules

GROUP = "target_crmdb.record_rules"


def all_rules() -> tuple[RecordRule, ...]:
    """Give the shipped rules and those of other packages, each under a name of its own."""
    rules = {rule.name: rule for rule in shipped_rules()}
    for entry in entry_points(group=GROUP):
        rule = _rule(entry)
        if rule.name in rules:
            raise ConfigError(f"Two record rules have the name {rule.name}; rename the one of {entry.value}")
        rules[rule.name] = rule
    return tuple(rules.values())


def _rule(entry: EntryPoint) -> RecordRule:
    try:
        rule = entry.load()
    except Exception as error:
        raise ConfigError(
            f"The record rule {entry.name} ({entry.value}) cannot be imported; repair or uninstall its package"
        ) from error
    if not isinstance(rule, RecordRule) or "." not in rule.name:
        raise ConfigError(f"The entry point {entry.name} ({entry.value}) is no RecordRule with a name entity.word")
    return rule
