"""Which API version is spoken, and what is told of its end."""

from __future__ import annotations

import pytest

from crmdb_core.exceptions import ConfigError
from tap_salesforce.versions import NEWEST, Version, choose, farewell


def offered(*numbers: int) -> list[dict[str, str]]:
    return [
        {"label": "Winter '27", "url": f"/services/data/v{number}.0", "version": f"{number}.0"} for number in numbers
    ]


@pytest.mark.parametrize(
    ("wanted", "org", "found"),
    [
        ("68.0", range(31, 69), "68.0"),
        ("v66.0", range(31, 69), "66.0"),
        ("68.0", range(31, 67), "66.0"),
        ("100.0", (99, 101), "99.0"),
    ],
)
def test_the_newest_offered_version_up_to_the_wanted_one_is_chosen(wanted: str, org: list[int], found: str) -> None:
    assert found == choose(wanted, offered(*org)).text


@pytest.mark.parametrize(("org", "told"), [((66, 68), "66.0 to 68.0"), ((), "no API version")])
def test_an_org_without_such_a_version_is_a_matter_of_settings(org: tuple[int, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        choose("65.0", offered(*org))


@pytest.mark.parametrize(("number", "told"), [(30, "Summer '25"), (31, "Summer '28"), (40, "Summer '27")])
def test_s14_a_version_whose_end_is_announced_is_told_of(number: int, told: str) -> None:
    text = farewell(Version(number))
    assert text is not None
    assert told in text
    assert NEWEST in text


def test_a_current_version_has_no_end_yet() -> None:
    assert farewell(Version(41)) is None
    assert farewell(Version.of(NEWEST)) is None
