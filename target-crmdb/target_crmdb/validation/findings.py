"""What is wrong with a record: the field and the rule, never the value."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from typing_extensions import override


@dataclass(frozen=True)
class Finding:
    """One broken rule; `rule` is a JSON schema keyword or one of ours, `reason` says it in words."""

    field: str
    rule: str
    reason: str

    @override
    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


class ConversionError(ValueError):
    """A value cannot be stored in its column; `rule` is a short class, the message has no value in it."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule


class FieldIssue(NamedTuple):
    """A value without a normal form in a row that stays; `original` is the value as the row has it."""

    entity: str
    field: str
    path: str
    rule: str
    reason: str
    original: Any


class NotNormalError(ValueError):
    """A value of a strict field has no normal form; `finding` names field and rule."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding
