"""The streams that an org, or a catalog, has; one bad object is a warning."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from singer_sdk.singerlib import Schema

from crmdb_core.exceptions import ConfigError
from tap_salesforce.choice import Choice
from tap_salesforce.schema import object_schema

if TYPE_CHECKING:
    from collections.abc import Container

    from tap_salesforce.objects import SObject
    from tap_salesforce.tap import TapSalesforce

logger = logging.getLogger(__name__)

_MOST_NAMED = 12


def objects(tap: TapSalesforce) -> list[SObject]:
    """The objects to make streams of, described: all that the patterns offer, or those that the catalog selects."""
    if tap.input_catalog is None:
        names = _offered(tap)
    else:
        names = _selected(tap)
        for name in tap.patterns.names:
            if name not in tap.input_catalog:
                logger.warning("`streams` names %s, which the catalog does not have; discover anew", name)
        _tell_idle_filters(tap, tap.input_catalog)
    found = tap.describes.of(names)
    for name in names:
        if name not in found:
            _tell_refusal(tap, name)
    return list(found.values())


def _offered(tap: TapSalesforce) -> list[str]:
    listed = tap.describes.listed()
    choice = Choice.of(listed, tap.patterns, filtered=tap.filtered)
    for why, names in (
        ("they can only be read with a filter of your own", choice.need_a_filter),
        ("they cannot be queried", choice.not_queryable),
    ):
        if names:
            logger.info("left out, for %s: %s", why, _some(names))
    _tell_unmet(tap, choice, [each.name for each in listed])
    if choice.others:
        logger.info("%d more objects could be read: name them in `streams`, or everything by `*`", choice.others)
    return choice.offered


def _tell_unmet(tap: TapSalesforce, choice: Choice, names: list[str]) -> None:
    """What the settings name and the org does not give: a typing error must not look like an org without records."""
    for name in tap.patterns.names:
        if name not in names:
            tap.leave_out(name, ConfigError("the org has no such object, or the user may not see it; check `streams`"))
        elif name in choice.need_a_filter:
            tap.leave_out(name, ConfigError("it can only be read with a filter; give one in `where`"))
        elif name in choice.not_queryable:
            tap.leave_out(name, ConfigError("it cannot be queried; take it out of `streams`"))
    for pattern in tap.patterns.without_match(names):
        logger.warning("no object of the org matches %s in `streams`", pattern)
    _tell_idle_filters(tap, names)


def _tell_idle_filters(tap: TapSalesforce, names: Container[str]) -> None:
    for name in sorted(tap.filtered):
        if name not in names:
            logger.warning("`where` has a filter for %s, which is no object here: nothing is filtered by it", name)


def _selected(tap: TapSalesforce) -> list[str]:
    """What the catalog selects, but for reports and list views."""
    assert tap.input_catalog is not None
    return [name for name in tap.input_catalog if tap.is_selected(name) and name not in tap.analytic]


def _tell_refusal(tap: TapSalesforce, name: str) -> None:
    """One object that cannot be described is no reason to read none; but what was chosen has to be readable."""
    error = tap.describes.refused[name]
    if tap.has_to_be_readable(name):
        tap.leave_out(name, error)
    else:
        logger.warning("%s is left out: %s", name, error)


def follow_org(tap: TapSalesforce) -> None:
    """Bring a catalog, which may be old, up to date with the org: new and changed fields, as the org has them now.

    A new field is selected as its stream is. What the org no longer has stays declared.
    """
    assert tap.input_catalog is not None
    for name, sobject in tap.describes.of(_selected(tap)).items():
        entry = tap.input_catalog[name]
        schema = entry.schema.to_dict()
        known, live = schema.get("properties"), object_schema(sobject)["properties"]
        if not known:  # a catalog that declares no fields wants none
            continue
        changed = sorted(each for each in live if _type(live[each]) != _type(known.get(each, {})))
        known.update(live)
        entry.schema = Schema.from_dict(schema)
        if changed:
            logger.info("%s: since the catalog was made, fields came or changed: %s", name, _some(changed))


def _type(schema: dict[str, object]) -> tuple[str, object]:
    return str(schema.get("type")), schema.get("format")


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
