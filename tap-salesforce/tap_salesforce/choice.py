"""Which of an org's objects become streams."""

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
_WILD = frozenset("*?[")

# What most people come for; they and the org's own objects are the streams where no pattern says otherwise. An org
# has a thousand objects more (set-up, shares, feeds, histories), which Meltano would read too if they were offered.
_MAIN = frozenset({
    "Account", "AccountContactRelation", "Asset", "Campaign", "CampaignMember", "Case", "CaseComment", "Contact",
    "Contract", "EmailMessage", "Event", "Lead", "Opportunity", "OpportunityContactRole", "OpportunityHistory",
    "OpportunityLineItem", "OpportunityStage", "Order", "OrderItem", "Pricebook2", "PricebookEntry", "Product2",
    "Quote", "QuoteLineItem", "RecordType", "Task", "User", "UserRole",
})  # fmt: skip
# Objects that Salesforce answers no query for without a filter of a certain form (error MALFORMED_QUERY, "reified
# column" or "Implementation restriction"), or none at all, though they say that they are queryable. Unverified for
# each: the list is what connectors leave out.
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
    """Names by patterns such as `Account`, `*__c` and `!*__Share`; without any, the usual ones."""

    patterns: Sequence[str] = ()

    def match(self, sobject: SObject) -> bool:
        """Whether an object is wanted: by a pattern, or by there being only exclusions, and excluded by none."""
        if not self.patterns:
            return is_usual(sobject)
        wanted = self._wanted
        return (not wanted or _any(sobject.name, wanted)) and not self._excludes(sobject.name)

    def name_it(self, name: str) -> bool:
        """Whether somebody has chosen a name: by more than `*`."""
        wanted = [each for each in self._wanted if each != _EVERYTHING]
        return _any(name, wanted) and not self._excludes(name)

    @property
    def names(self) -> list[str]:
        """Those that are the whole name of one object."""
        return [each for each in self._wanted if not _WILD.intersection(each)]

    def without_match(self, names: Collection[str]) -> list[str]:
        """Those for more than one object that match none of these names."""
        return [each for each in self._wanted if _WILD.intersection(each) and not any(_any(n, [each]) for n in names)]

    @property
    def _wanted(self) -> list[str]:
        return [each for each in self.patterns if not each.startswith(_NOT)]

    def _excludes(self, name: str) -> bool:
        return _any(name, [each[1:] for each in self.patterns if each.startswith(_NOT)])


def is_usual(sobject: SObject) -> bool:
    """Whether an object is a stream where nobody says which: the main ones, and the org's own."""
    return sobject.name in _MAIN or (sobject.name.endswith("__c") and not sobject.custom_setting)


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


@dataclass
class Choice:
    """The names of objects to offer, and why others are not."""

    offered: list[str] = field(default_factory=list)
    need_a_filter: list[str] = field(default_factory=list)
    not_queryable: list[str] = field(default_factory=list)
    others: int = 0
    """How many there are that could be read."""

    @classmethod
    def of(cls, objects: Iterable[SObject], patterns: Patterns, *, filtered: Collection[str] = ()) -> Choice:
        """Choose from the list of all objects; `filtered` have a filter of the user's own."""
        choice = cls()
        for each in objects:
            if patterns.match(each):
                choice.add(each, filtered)
            elif each.queryable:
                choice.others += 1
        return choice

    def add(self, sobject: SObject, filtered: Collection[str]) -> None:
        """Put one object where it belongs."""
        if not sobject.queryable or _any(sobject.name, _NEVER):
            self.not_queryable.append(sobject.name)
        elif sobject.name in _NEED_A_FILTER and sobject.name not in filtered:
            self.need_a_filter.append(sobject.name)
        else:
            self.offered.append(sobject.name)
