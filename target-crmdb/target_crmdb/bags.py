"""Streams without a key are bags: a row is known by a hash of its content and by which of its equals it is.

The first of n equal records of a run is copy 1, the last copy n. So a table holds as many equal rows as the run that
sent most of them: reading the same rows again, all or from anywhere before them, adds none, whatever was killed
before. What this cannot tell is an equal row that comes alone in a later run; `append-only` is for such sources.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from target_crmdb.mapping import TablePlan, dotted
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
    """Hashes rows: fields that are null count as absent, so that a column which a SCHEMA gains changes no hash.

    `epoch` sets apart what must not be taken for equal: the runs of an append-only stream.
    """

    def __init__(self, plan: TablePlan, epoch: int | None = None) -> None:
        self._names = [f"{dotted(column.path)}=" for column in plan.columns]
        self._salt = b"" if epoch is None else str(epoch).encode()

    def of(self, values: Sequence[CopyValue], extra: str | None = None) -> str:
        """Give the hash of a row as the text of a UUID."""
        parts = [f"{name}{value}" for name, value in zip(self._names, values, strict=True) if value is not None]
        parts.sort()
        if extra is not None:
            parts.append(extra)
        digest = blake2b("\0".join(parts).encode(), digest_size=16, key=self._salt)
        return str(UUID(bytes=digest.digest()))


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
