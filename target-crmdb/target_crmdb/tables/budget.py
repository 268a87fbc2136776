"""How many columns a row can have so that it always fits a page, whatever its values are.

A row has 8,160 bytes of a page (htup_details.h, MaxHeapTupleSize). A value of varying length is moved out of the row
when the row is too long, unless it has at most 24 bytes (heaptoast: MAXALIGN(TOAST_POINTER_SIZE)); a pointer of
18 bytes stays. So such a column costs 24 bytes at worst, and one of fixed length its length and its alignment.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from target_crmdb.mapping import ColumnType
from target_crmdb.tables.catalog import StoredColumn

_PAGE = 8160
_HEADER = 32
_VARYING = 24
# the staging table has a few columns of its own beside the stream's
_STAGING = 160
_FIXED = {
    ColumnType.INTEGER: 4,
    ColumnType.BIGINT: 8,
    ColumnType.DOUBLE: 8,
    ColumnType.BOOLEAN: 1,
    ColumnType.TIMESTAMPTZ: 8,
    ColumnType.DATE: 4,
    ColumnType.TIME: 8,
    ColumnType.UUID: 16,
}


def cost(kind: ColumnType) -> int:
    """Give the bytes that a column of this type takes of a row at worst."""
    return _bytes(_FIXED.get(kind, -1))


def stored_cost(column: StoredColumn) -> int:
    """Give the bytes that a column of any type takes of a row at worst."""
    return _bytes(column.length)


def _bytes(length: int) -> int:
    """Count a fixed length with the gap before it: it stands at a multiple of itself, or of 8."""
    return _VARYING if length < 0 else length + min(length, 8) - 1


@dataclass
class Budget:
    """What is left of a row: columns, and bytes for their values.

    `attributes` are the columns that the table ever had: a dropped one still has its bit in every row.
    """

    columns: int
    bytes: int

    @classmethod
    def of(cls, max_columns: int, costs: Iterable[int], attributes: int) -> "Budget":
        """Give what a table leaves that has columns of these costs already."""
        spent = list(costs)
        bitmap = (max(max_columns, attributes + max_columns - len(spent)) + 7) // 8
        return cls(max_columns - len(spent), _PAGE - _HEADER - bitmap - _STAGING - sum(spent))

    def take(self, kind: ColumnType) -> bool:
        """Spend a column, if there is room for it."""
        if self.columns < 1 or self.bytes < cost(kind):
            return False
        self.columns -= 1
        self.bytes -= cost(kind)
        return True

    def change(self, old: StoredColumn, new: ColumnType) -> bool:
        """Spend what a wider type needs more, if there is room for it."""
        more = cost(new) - stored_cost(old)
        if self.bytes < more:
            return False
        self.bytes -= more
        return True
