"""Which of an org's objects become streams, and which of those are selected as long as nobody has chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tap_salesforce.objects import SObject

__all__ = ["Choice", "Patterns"]

_NOT = "!"
_EVERYTHING = "*"

# What most people come for; they and the org's own objects are selected where no pattern says otherwise.
_MAIN = frozenset({
    "Account", "AccountContactRelation", "Asset", "Campaign", "CampaignMember", "Case", "CaseComment", "Contact",
    "Contract", "EmailMessage", "Event", "Lead", "Opportunity", "OpportunityContactRole", "OpportunityHistory",
    "OpportunityLineItem", "OpportunityStage", "Order", "OrderItem", "Pricebook2", "PricebookEntry", "Product2",
    "Quote", "QuoteLineItem", "RecordType", "Task", "User", "UserRole",
})  # fmt: skip
# Objects that Salesforce answers no query for without a filter of a certain form (error MALFORMED_QUERY, "reified
# column" or "Implementation restriction"), or none at all, though they say that they are queryable.
_NEED_A_FILTER = frozenset({
    "Announcement", "AppTabMember", "CollaborationGroupRecord", "ColorDefinition", "ContentDocumentLink",
    "ContentFolderItem", "ContentFolderMember", "DataStatistics", "DatacloudAddress", "EntityParticle",
    "FieldDefinition", "FlexQueueItem", "IconDefinition", "IdeaComment", "ListViewChartInstance", "OutgoingEmail",
    "OutgoingEmailRelation", "OwnerChangeOptionInfo", "PicklistValueInfo", "PlatformAction", "RelationshipDomain",
    "RelationshipInfo", "SearchLayout", "SiteDetail", "UserEntityAccess", "UserFieldAccess", "UserRecordAccess",
    "Vote",
})  # fmt: skip
_NEVER = ("*ChangeEvent", "*__Tag")
"""Events of a stream of changes, and tags, which have no rows of their own to query."""


@dataclass(frozen=True)
class Patterns:
    """Names by patterns such as `Account`, `*__c` and `!*__Share`."""

    patterns: Sequence[str]

    def match(self, name: str) -> bool:
        """Whether a name is wanted: by one pattern at least, or by there being only exclusions, and by no exclusion."""
        wanted = [each for each in self.patterns if not each.startswith(_NOT)]
        return (not wanted or _any(name, wanted)) and not self._excludes(name)

    def name_it(self, name: str) -> bool:
        """Whether a name is wanted by more than `*`."""
        wanted = [each for each in self.patterns if each != _EVERYTHING and not each.startswith(_NOT)]
        return _any(name, wanted) and not self._excludes(name)

    @property
    def choose(self) -> bool:
        """Whether anything is wanted by more than `*`."""
        return any(each != _EVERYTHING and not each.startswith(_NOT) for each in self.patterns)

    def _excludes(self, name: str) -> bool:
        return _any(name, [each[1:] for each in self.patterns if each.startswith(_NOT)])


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


@dataclass
class Choice:
    """The names of objects to offer, and why others are not; `filtered` have a filter of the user's own."""

    offered: list[str] = field(default_factory=list)
    need_a_filter: list[str] = field(default_factory=list)
    not_queryable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, objects: Iterable[SObject], patterns: Patterns, *, filtered: Collection[str] = ()) -> Choice:
        """Choose from the list of all objects."""
        choice = cls()
        for each in objects:
            if patterns.match(each.name):
                choice.add(each, filtered)
        return choice

    def add(self, sobject: SObject, filtered: Collection[str]) -> None:
        """Put one object where it belongs."""
        if not sobject.queryable or _any(sobject.name, _NEVER):
            self.not_queryable.append(sobject.name)
        elif sobject.name in _NEED_A_FILTER and sobject.name not in filtered:
            self.need_a_filter.append(sobject.name)
        else:
            self.offered.append(sobject.name)


def is_selected_by_default(sobject: SObject, patterns: Patterns) -> bool:
    """Whether a stream is selected as long as no catalog says otherwise."""
    if patterns.choose:
        return patterns.name_it(sobject.name)
    return sobject.name in _MAIN or (sobject.custom and not sobject.custom_setting and sobject.name.endswith("__c"))
