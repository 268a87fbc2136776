"""Issues of values that were stored before anybody looked at them: opened and closed as a load would."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from target_crmdb.mapping import WantedNormal
from target_crmdb.model.sources import SourceTable
from target_crmdb.validation.values import to_json

Cursor = psycopg.Cursor[tuple[Any, ...]]

_LONGEST = 1000
_CLOSE = """
update validation_issues i set closed_at = now()
where i.table_schema = %s and i.table_name = %s and i.field = %s and i.path = %s and i.kind = 'field'
    and i.closed_at is null and i.key = any(%s::text[])
    and (i.key, i.rule) not in (select key, rule from unnest(%s::text[], %s::text[]) as bad (key, rule))
"""
_OPEN = """
insert into validation_issues as i (
    source, table_schema, table_name, stream, entity, key, kind, field, path, rule, level, reason, original
)
select %s, %s, %s, %s, %s, f.key, 'field', %s, %s, f.rule, %s, f.reason, f.original
from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as f (key, rule, reason, original)
on conflict (table_schema, table_name, key, field, rule) where closed_at is null do nothing
"""


class Misfit(NamedTuple):
    """A value without a normal form: of which record, what is wrong, and the value."""

    key: str
    rule: str
    reason: str
    original: str


def original_text(value: Any) -> str:
    """Give a value as issues keep it."""
    text = value if isinstance(value, str) else to_json(value)
    return text[:_LONGEST]


def settle(
    cursor: Cursor, table: SourceTable, wanted: WantedNormal, keys: Sequence[str], misfits: Sequence[Misfit]
) -> None:
    """Open the issues of these records' field, and close those that they do not have any more."""
    place = (table.schema, table.name)
    cursor.execute(
        _CLOSE,
        (
            *(*place, wanted.field, wanted.path.text),
            *(list(keys), [one.key for one in misfits], [one.rule for one in misfits]),
        ),
    )
    if not misfits or wanted.level == "off":
        return
    about = (table.mapping.source, *place, table.stream, wanted.entity, wanted.field, wanted.path.text, wanted.level)
    cursor.execute(_OPEN, (*about, *(list(column) for column in zip(*misfits, strict=True))))
