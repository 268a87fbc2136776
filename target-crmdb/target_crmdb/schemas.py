"""The SCHEMA messages of each stream as they came, so that a record can be read again without its tap.

Functions get a cursor and never commit.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

Cursor = psycopg.Cursor[tuple[Any, ...]]

_TELLING = ("schema", "key_properties", "bookmark_properties")


@dataclass(frozen=True)
class StreamSchema:
    """A SCHEMA message: the stream's name before stream maps, and the line."""

    stream: str
    message: str

    @cached_property
    def digest(self) -> str:
        """What it says, whatever the order of its words."""
        message = json.loads(self.message)
        text = json.dumps([message.get(name) for name in _TELLING], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def record(cursor: Cursor, run_id: int, table_schema: str, schema: StreamSchema) -> int:
    """Keep a SCHEMA that is new, or that a stream has come back to; give its number."""
    cursor.execute(
        "insert into stream_schemas (table_schema, stream, digest, message, run_id) values (%s, %s, %s, %s, %s)"
        " on conflict (table_schema, stream, digest) do update"
        " set run_id = excluded.run_id, last_seen_at = clock_timestamp() returning schema_id",
        (table_schema, schema.stream, schema.digest, schema.message, run_id),
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])
