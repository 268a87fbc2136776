"""Which API version a run speaks: the one that was asked for, or the newest below it that the org offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["NEWEST", "OLDEST", "Version", "choose", "farewell"]

NEWEST = "68.0"
"""Winter '27, the current release (vendor page "Introducing REST API": 41.0 through 68.0 supported)."""
OLDEST = 41
"""What is older lacks what the tap reads by, or has no promise of support any more."""

# versions up to which, from when out of support, from when gone (vendor page "API End-of-Life Policy")
_RETIREMENTS = ((30, "Summer '25", "Summer '25"), (40, "Summer '27", "Summer '28"))


@dataclass(frozen=True, order=True)
class Version:
    """An API version; Salesforce counts three a year."""

    number: int

    @classmethod
    def of(cls, text: str) -> Version:
        """Read `68.0` or `v68.0`."""
        return cls(int(text.removeprefix("v").split(".")[0]))

    @property
    def text(self) -> str:
        """As paths have it."""
        return f"{self.number}.0"


def choose(wanted: str, offered: Iterable[Mapping[str, Any]]) -> Version:
    """The newest version that is offered and not above the one wanted; raises ConfigError where there is none."""
    known = sorted(Version.of(str(each["version"])) for each in offered)
    fitting = [each for each in known if each <= Version.of(wanted)]
    if not fitting:
        span = f"offers {known[0].text} to {known[-1].text}" if known else "offers no API version at all"
        raise ConfigError(f"api_version: {wanted} is not to be had, the org {span}; set one of these")
    return fitting[-1]


def farewell(version: Version) -> str | None:
    """What to tell of the version's end, if that is announced."""
    for last, unsupported, retired in _RETIREMENTS:
        if version.number <= last:
            return (
                f"API version {version.text} is out of support from {unsupported} and retired from {retired} on; "
                f"set api_version to {NEWEST}"
            )
    return None
