"""The shape of one table: which field stands in which column, and how rows are told apart."""

from dataclasses import dataclass

from target_crmdb.mapping.names import Path
from target_crmdb.mapping.types import ColumnType, is_ordered

HASH = "_crmdb_hash"
COPY = "_crmdb_copy"


@dataclass(frozen=True)
class Column:
    """A column of a table, the path of its value in a record, and its type in the database."""

    name: str
    path: Path
    type: ColumnType


@dataclass(frozen=True)
class MatchColumn:
    """A column by which a staged row finds its stored one, under its name in the staging table and in the stream's."""

    staged: str
    name: str


@dataclass(frozen=True)
class TablePlan:
    """One stream's table; `columns` are those of the SCHEMA, `_sdc_deleted_at` and `_extra` always exist.

    `spread` is the object whose fields have columns of their own; `tells_deletion` says whether the
    SCHEMA declares `_sdc_deleted_at`, so that a record without it leaves the stored value alone.
    """

    schema: str
    table: str
    stream: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    replication_key: str | None = None
    spread: str | None = None
    tells_deletion: bool = False
    record_metadata: bool = False

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key, in the order of the key properties."""
        by_path = {column.path: column for column in self.columns}
        return tuple(by_path[key,] for key in self.keys)

    @property
    def is_bag(self) -> bool:
        """Whether rows have no key of their own, but are told apart by content and number of copy."""
        return not self.keys

    @property
    def match(self) -> tuple[MatchColumn, ...]:
        """The columns of the table's primary key."""
        if self.is_bag:
            return MatchColumn("hash", HASH), MatchColumn("copy", COPY)
        return tuple(MatchColumn(f"c{self.columns.index(column)}", column.name) for column in self.key_columns)

    @property
    def version_column(self) -> Column | None:
        """The replication key's column, if its type orders rows."""
        wanted = (self.replication_key,)
        return next((c for c in self.columns if c.path == wanted and is_ordered(c.type)), None)
