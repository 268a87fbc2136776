"""Which rejects a command speaks of."""

from dataclasses import dataclass
from typing import Any, LiteralString

SELECTED: LiteralString = """
from rejects r join runs u using (run_id)
where (%(ids)s::bigint[] is null or r.reject_id = any(%(ids)s)) and (%(run)s::bigint is null or r.run_id = %(run)s)
and (%(stream)s::text is null or r.stream = %(stream)s) and (%(schema)s::text is null or u.target_schema = %(schema)s)
and (%(status)s::text is null or r.status = %(status)s)
and (%(class)s::text is null or r.error_class = %(class)s or starts_with(r.error_class, %(class)s || ' '))
"""
"""The rejects `r` of a selection, with their runs `u`; a class is also known by its SQLSTATE."""


@dataclass(frozen=True)
class Selection:
    """Rejects by their numbers, run, stream (after stream maps), class, target schema and status; None means any."""

    ids: tuple[int, ...] | None = None
    run: int | None = None
    stream: str | None = None
    error_class: str | None = None
    schema: str | None = None
    status: str | None = "open"

    @property
    def is_open_ended(self) -> bool:
        """Whether nothing narrows it, so that it should be meant."""
        return (self.ids, self.run, self.stream, self.error_class) == (None, None, None, None)

    def parameters(self) -> dict[str, Any]:
        """Give the parameters of SELECTED."""
        return {
            "ids": None if self.ids is None else list(self.ids),
            "run": self.run,
            "stream": self.stream,
            "class": self.error_class,
            "schema": self.schema,
            "status": self.status,
        }
