"""Load rows so that one the server refuses does not stop its neighbours."""

from collections.abc import Callable

import psycopg
from psycopg.errors import UniqueViolation

from target_crmdb.buffer import Piece
from target_crmdb.counts import Counts
from target_crmdb.rejects import Cursor, ServerVerdict, is_data_error, verdict_of

Load = Callable[[Cursor, Piece], Counts]
Refuse = Callable[[Piece, int, ServerVerdict], None]
"""Takes the number of the refused row in its piece."""


def load_isolated(cursor: Cursor, rows: Piece, load: Load, refuse: Refuse) -> Counts:
    """Load `rows` in order; rows that the server refuses go to `refuse` and the rest is loaded.

    Where COPY names the line, the rows before it are loaded, that row is refused and loading goes on behind it;
    elsewhere halves are tried. Each attempt is a savepoint, so nothing of a failed one stays. Errors that are not
    about rows are raised.
    """
    counts = Counts()
    waiting = [rows]
    contended: Piece | None = rows
    while waiting:
        piece = waiting.pop()
        try:
            with cursor.connection.transaction():
                counts += load(cursor, piece)
        except UniqueViolation as error:
            # somebody who is no run of ours has just inserted a row of this key: now it is seen, and updated
            waiting.extend([piece] if piece is contended else _split(piece, verdict_of(error), refuse))
            contended = None
        except psycopg.Error as error:
            if not is_data_error(error):
                raise
            waiting.extend(_split(piece, verdict_of(error), refuse))
    return counts


def _split(piece: Piece, verdict: ServerVerdict, refuse: Refuse) -> list[Piece]:
    """Take the bad row out, if it is known; give what is left, the last part first."""
    bad = 0 if len(piece) == 1 else verdict.row
    if bad is None or bad >= len(piece):
        middle = len(piece) // 2
        return [piece.part(middle, len(piece)), piece.part(0, middle)]
    refuse(piece, bad, verdict)
    return [part for part in (piece.part(bad + 1, len(piece)), piece.part(0, bad)) if len(part)]
