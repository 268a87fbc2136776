"""Which objects become streams."""

from __future__ import annotations

from typing import Any

import pytest

from tap_salesforce.choice import Choice, Patterns, is_selected_by_default
from tap_salesforce.objects import SObject


def sobject(name: str, **more: Any) -> SObject:
    return SObject(name, custom=name.endswith("__c"), **more)


@pytest.mark.parametrize(
    ("patterns", "wanted", "unwanted"),
    [
        (["*"], ["Account", "X__c"], []),
        (["Account", "*__c"], ["Account", "X__c"], ["Contact", "AccountHistory"]),
        (["*", "!*History"], ["Account"], ["AccountHistory"]),
        (["!*History"], ["Account"], ["AccountHistory"]),
        (["Acc?unt"], ["Account"], ["account", "AccountX"]),
        ([], ["Account"], []),
    ],
)
def test_patterns_say_what_is_wanted(patterns: list[str], wanted: list[str], unwanted: list[str]) -> None:
    made = Patterns(patterns)
    assert wanted == [name for name in (*wanted, *unwanted) if made.match(name)]


def test_what_cannot_be_read_is_left_out_with_its_reason() -> None:
    objects = [
        sobject("Account"),
        sobject("AccountChangeEvent"),
        sobject("Locked", queryable=False),
        sobject("ContentDocumentLink"),
        sobject("Vote"),
    ]
    choice = Choice.of(objects, Patterns(["*"]), filtered={"Vote"})
    assert ["Account", "Vote"] == choice.offered
    assert ["AccountChangeEvent", "Locked"] == choice.not_queryable
    assert ["ContentDocumentLink"] == choice.need_a_filter


@pytest.mark.parametrize(
    ("patterns", "selected"),
    [
        (["*"], ["Account", "X__c"]),
        (["*", "!X__c"], ["Account"]),
        (["*", "Apex*"], ["ApexClass"]),
    ],
)
def test_without_a_catalog_the_main_and_own_objects_are_selected_or_those_named(
    patterns: list[str], selected: list[str]
) -> None:
    objects = [sobject("Account"), sobject("X__c"), sobject("ApexClass"), sobject("S__c", custom_setting=True)]
    made = Patterns(patterns)
    offered = [each for each in objects if made.match(each.name)]
    assert selected == [each.name for each in offered if is_selected_by_default(each, made)]
