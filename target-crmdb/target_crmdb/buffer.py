"""The rows of one stream that wait for the next commit."""

from collections.abc import Sequence

from target_crmdb.staging import BufferedRow
from target_crmdb.validation.values import CopyValue


class RowBuffer:
    """Rows in order of arrival, cut into pieces that each may be merged at once.

    Within a piece, rows of one key may differ only by version and order, which the merge tells apart. A row that
    lacks fields, deletes, has no version or fills `_extra` builds on what is stored before it: such a row never
    stands in one piece with another of its key.
    """

    def __init__(self, key_places: Sequence[int]) -> None:
        self._key_places = tuple(key_places)
        self._pieces: list[list[BufferedRow]] = [[]]
        self._keys: dict[tuple[CopyValue, ...], bool] | None = None
        self.rows = 0

    @property
    def pieces(self) -> list[list[BufferedRow]]:
        """The pieces, in order; none is empty."""
        return [piece for piece in self._pieces if piece]

    def add(self, row: BufferedRow) -> None:
        """Append a row."""
        if self._key_places and (self._keys is not None or not row.row.plain):
            self._part(row)
        self._pieces[-1].append(row)
        self.rows += 1

    def clear(self) -> None:
        """Forget all rows: they are committed."""
        self._pieces = [[]]
        self._keys = None
        self.rows = 0

    def _part(self, row: BufferedRow) -> None:
        """Begin a new piece if this row may not stand with an earlier one; keys are kept only once needed."""
        if self._keys is None:
            self._keys = {self._key(earlier): True for earlier in self._pieces[-1]}
        key = self._key(row)
        earlier_plain = self._keys.get(key)
        if earlier_plain is False or (earlier_plain is True and not row.row.plain):
            self._pieces.append([])
            self._keys = {}
        self._keys[key] = row.row.plain

    def _key(self, row: BufferedRow) -> tuple[CopyValue, ...]:
        return tuple(row.row.values[place] for place in self._key_places)
