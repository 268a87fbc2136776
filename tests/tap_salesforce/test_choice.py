"""Which objects become streams."""

from __future__ import annotations

from typing import Any

import pytest

from tap_salesforce.choice import Choice, Patterns
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
    ],
)
def test_patterns_say_what_is_wanted(patterns: list[str], wanted: list[str], unwanted: list[str]) -> None:
    made = Patterns(patterns)
    assert wanted == [name for name in (*wanted, *unwanted) if made.match(sobject(name))]


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


def test_without_patterns_the_usual_objects_are_wanted_and_the_rest_counted() -> None:
    objects = [
        sobject("Account"),
        sobject("X__c"),
        sobject("ApexClass"),
        sobject("AccountShare"),
        sobject("Settings__c", custom_setting=True),
        sobject("Readings__b"),
        sobject("Locked", queryable=False),
    ]
    choice = Choice.of(objects, Patterns())
    assert ["Account", "X__c"] == choice.offered
    assert 4 == choice.others


def test_what_is_named_by_more_than_a_star_was_chosen() -> None:
    patterns = Patterns(["*", "Apex*", "!ApexLog"])
    assert [True, False, False] == [patterns.name_it(name) for name in ("ApexClass", "Account", "ApexLog")]
    assert not Patterns().name_it("Account")
