"""The streams that an org, or a catalog, has; one bad object is a warning."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from singer_sdk.singerlib import Schema

from tap_salesforce.choice import Choice
from tap_salesforce.schema import object_schema

if TYPE_CHECKING:
    from tap_salesforce.objects import SObject
    from tap_salesforce.tap import TapSalesforce

logger = logging.getLogger(__name__)

_MOST_NAMED = 12


def objects(tap: TapSalesforce) -> list[SObject]:
    """The objects to make streams of, described: all that the patterns offer, or those that the catalog selects."""
    names = _offered(tap) if tap.input_catalog is None else _selected(tap)
    found = tap.describes.of(names)
    for name in names:
        if name not in found:
            _tell_refusal(tap, name)
    return list(found.values())


def _offered(tap: TapSalesforce) -> list[str]:
    choice = Choice.of(tap.describes.listed(), tap.patterns, filtered=tap.filtered)
    for why, names in (
        ("they can only be read with a filter of your own", choice.need_a_filter),
        ("they cannot be queried", choice.not_queryable),
    ):
        if names:
            logger.info("left out, for %s: %s", why, _some(names))
    if choice.others:
        logger.info("%d more objects could be read: name them in `streams`, or everything by `*`", choice.others)
    return choice.offered


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
