"""Streams without a key are bags: a row is known by a hash of its content and by which of its equals it is.

The first of n equal records of a run is copy 1, the last copy n. So a table holds as many equal rows as the run that
sent most of them: reading the same rows again, all or from anywhere before them, adds none, whatever was killed
before. What this cannot tell is an equal row that comes alone in a later run; `append-only` is for such sources.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from target_crmdb.mapping import ColumnType, TablePlan, dotted
from target_crmdb.seen import SeenKind, SeenTable
from target_crmdb.validation.values import CopyValue

Cursor = psycopg.Cursor[tuple[Any, ...]]

_NUMBER = """
update {stage} s set copy = numbered.copy
from (
    select r.ctid as place, coalesce(k.copies, 0) + row_number() over (partition by r.hash order by r.ctid) as copy
    from {stage} r left join {seen} k on k.hash = r.hash
) numbered
where numbered.place = s.ctid
"""
_REMEMBER = """
insert into {seen} select hash, max(copy) from {stage} group by hash
on conflict (hash) do update set copies = excluded.copies
"""


class ContentHash:
    """Hashes rows by what they mean: `Z` is `+00:00`, 1.0 is 1, and an object is one whatever the order of its keys.

    Fields that are null count as absent, so that a column which a SCHEMA gains changes no hash.
    `epoch` sets apart what must not be taken for equal: the runs of an append-only stream.
    """

    def __init__(self, plan: TablePlan, epoch: int | None = None) -> None:
        self._names = [f"{dotted(column.path)}=" for column in plan.columns]
        self._forms = [_FORMS.get(column.type, str) for column in plan.columns]
        self._salt = b"" if epoch is None else str(epoch).encode()

    def of(self, values: Sequence[CopyValue], extra: str | None = None) -> str:
        """Give the hash of a row as the text of a UUID."""
        parts = [
            f"{name}{form(value)}"
            for name, form, value in zip(self._names, self._forms, values, strict=True)
            if value is not None
        ]
        parts.sort()
        if extra is not None:
            parts.append(_json(extra))
        digest = blake2b("\0".join(parts).encode(), digest_size=16, key=self._salt)
        return str(UUID(bytes=digest.digest()))


def _number(value: CopyValue) -> str:
    return str(Decimal(str(value)).normalize())


def _instant(value: CopyValue) -> str:
    """Give an instant in UTC; one without an offset is in UTC already. An odd form is left as it is."""
    try:
        moment = datetime.fromisoformat(str(value).replace(" ", "T", 1).replace(" ", ""))
    except ValueError:
        return str(value)
    return (
        str(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)) if _FIRST < moment.year < _LAST else str(value)
    )


def _json(value: CopyValue) -> str:
    return _encode(_decode(str(value))).decode()


_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_FIRST, _LAST = 1, 9999  # years that have another one beside them in every zone
_FORMS: Mapping[ColumnType, Callable[[CopyValue], str]] = {
    ColumnType.NUMERIC: _number,
    ColumnType.TIMESTAMPTZ: _instant,
    ColumnType.JSONB: _json,
}


class Copies:
    """Counts the equal rows of one stream over the whole run; a crash of the server must not forget them."""

    def __init__(self, run_id: int, number: int, *, temporary: bool = False) -> None:
        columns = "hash uuid primary key, copies integer not null"
        kind: SeenKind = "temporary" if temporary else "logged"
        self.table = SeenTable(run_id, number, columns, kind)

    def number(self, cursor: Cursor, stage: sql.Identifier) -> None:
        """Say of each staged row which copy it is."""
        self.table.use(cursor)
        names = {"stage": stage, "seen": self.table.name}
        cursor.execute(sql.SQL(_NUMBER).format(**names))
        cursor.execute(sql.SQL(_REMEMBER).format(**names))
