"""The rules over one record that a mapped table can answer, at the levels that the settings give them."""

from target_crmdb.mapping import SourceMapping, TablePlan
from target_crmdb.settings import Config, rule_level
from target_crmdb.validation.rules.judging import LevelledRule, RecordJudge
from target_crmdb.validation.rules.own import all_rules
from target_crmdb.validation.rules.reading import field_readers


def record_judge(config: Config, mapping: SourceMapping, plan: TablePlan) -> RecordJudge | None:
    """Give what asks a table's rows; None where there is nothing to ask."""
    stream = mapping.stream(plan.stream)
    if stream is None:
        return None
    rules = [LevelledRule(rule, rule_level(config, rule.name)) for rule in all_rules()]
    mine = [one for one in rules if one.rule.entity == stream.entity]
    entity = mapping.model.entities.get(stream.entity or "")
    types = {name: one.type for name, one in entity.fields.items()} if entity else {}
    wanted = {name: types[name] for one in mine for name in one.rule.names if name in types}
    return RecordJudge(mine, field_readers(plan, stream, wanted)) or None
