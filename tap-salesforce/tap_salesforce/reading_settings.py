"""The settings of how records are read."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th


def reading_settings() -> list[th.Property[Any]]:
    """Settings of reading."""
    hours = th.IntegerType(minimum=0)
    return [
        th.Property(
            "where",
            th.ObjectType(additional_properties=th.StringType(min_length=1)),
            default={},
            title="Filters",
            description='A condition in SOQL for each of these streams, such as `{"Account": "Type = \'Customer\'"}`. '
            "A record that ceases to meet it stays as it was last sent.",
        ),
        th.Property(
            "blobs",
            th.BooleanType,
            default=False,
            title="Files",
            description="Read base64 fields too, such as the body of an attachment: one call for every record that has "
            "one. Without it these fields are not sent.",
        ),
        th.Property(
            "refresh_formulas_every",
            hours,
            default=0,
            title="Formulas every (hours)",
            description="How often the formula fields of all records are read again, for they change without a new "
            "stamp, and with them `quiet_fields`. 0: never.",
        ),
        th.Property(
            "quiet_fields",
            th.ObjectType(additional_properties=th.ArrayType(th.StringType(min_length=1))),
            # Estuary PR 3414; unverified, and harmless where it is not so
            default={"ContractLineItem": ["Status"]},
            title="Quiet fields",
            description="Fields that change without a new stamp though they are no formulas, by object; no description "
            "tells which they are.",
        ),
        th.Property(
            "compare_ids_every",
            hours,
            default=0,
            title="Ids every (hours)",
            description="How often the Ids of all records are listed, so that the target removes what was deleted for "
            "good. Most objects tell that by themselves; after a pause of more than 15 days they do not, and the Ids "
            "are compared whatever this says. 0: only then.",
        ),
        th.Property(
            "bulk_patience",
            th.NumberType(exclusive_minimum=0),
            default=12,
            title="Patience with Bulk jobs (hours)",
            description="A Bulk job that is not complete after so many hours is given up.",
        ),
    ]
