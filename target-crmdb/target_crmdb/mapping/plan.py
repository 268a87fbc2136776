"""The shape of one table: which field stands in which column, and how rows are told apart."""

from dataclasses import dataclass
from typing import Literal

from target_crmdb.mapping.names import Path
from target_crmdb.mapping.normals import NormalColumn
from target_crmdb.mapping.types import ColumnType, is_ordered

Drift = Literal["discard", "reject"]

HASH = "_crmdb_hash"
COPY = "_crmdb_copy"


@dataclass(frozen=True)
class Column:
    """A column of a table, the path of its value in a record, and its type in the database.

    `misfit` says what becomes of a value that the SCHEMA now allows and the column's type does not hold: it is left
    out, as if the record lacked it, or its row is refused; None where the type holds whatever the SCHEMA allows.

    A `retired` column has given its field to another one, or to `_extra`: a record that has the field sets it to
    NULL, so that no old value stands beside a new one; a record without the field leaves it alone.
    """

    name: str
    path: Path
    type: ColumnType
    misfit: Drift | None = None
    retired: bool = False


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
    `undeclared` says what becomes of a value without a column: it goes to `_extra`, it is left out, or its row is
    refused; the fields of `in_extra` go to `_extra` in any case. `normals` stand behind the columns in a staged row.
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
    undeclared: Literal["keep", "discard", "reject"] = "keep"
    in_extra: frozenset[Path] = frozenset()
    normals: tuple[NormalColumn, ...] = ()

    @property
    def written(self) -> tuple[Column | NormalColumn, ...]:
        """All columns that a staged row has a value for, in its order."""
        return (*self.columns, *self.normals)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key, in the order of the key properties."""
        by_path = {column.path: column for column in self.columns if not column.retired}
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
        columns = (column for column in self.columns if column.path == wanted and not column.retired)
        return next((column for column in columns if is_ordered(column.type)), None)

    @property
    def drifts(self) -> bool:
        """Whether some value may be left out or nulled, or refuse its row, for the sake of `schema_change`."""
        return self.undeclared != "keep" or any(column.misfit or column.retired for column in self.columns)
