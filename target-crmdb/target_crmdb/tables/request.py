"""What a SCHEMA message and the settings ask of a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_crmdb.mapping import COPY, DELETED_AT, EXTRA, HASH, ColumnType, Path, SourceMapping, WantedNormal
from target_crmdb.merge import BATCHED_AT, EXTRACTED_AT
from target_crmdb.settings import SchemaChange


@dataclass(frozen=True)
class TableRequest:
    """What a SCHEMA message and the settings ask for; `name` is the table's name if it is still free.

    `normals` are the normal forms that `mapping`, the one of the run's source, asks of the stream.
    """

    schema: str
    name: Path
    stream: str
    json_schema: Mapping[str, Any]
    keys: tuple[str, ...]
    replication_key: str | None
    spread: str | None
    max_columns: int
    record_metadata: bool
    run_id: int
    policy: SchemaChange = "evolve"
    max_rewrite_bytes: int = 2**30
    model_schema: str = "crm"
    mapping: SourceMapping = field(default_factory=SourceMapping)
    normals: tuple[WantedNormal, ...] = ()

    @property
    def spreads(self) -> bool:
        """Whether the SCHEMA has the object whose fields become columns."""
        parent = self.json_schema["properties"].get(self.spread or "")
        return bool(parent and parent.get("properties"))

    @property
    def leading(self) -> tuple[str, ...]:
        """The fields that get a column before all others: key, replication key and deletion."""
        return (*self.keys, *([self.replication_key] if self.replication_key else []), DELETED_AT)

    @property
    def mapped(self) -> frozenset[Path]:
        """The fields that the mapping reads, or begins to read at: they get a column before others."""
        stream = self.mapping.stream(self.stream)
        return frozenset(path.names[:length] for path in (stream.paths() if stream else ()) for length in (1, 2))

    @property
    def technical(self) -> dict[str, ColumnType]:
        """The columns that exist whatever the SCHEMA says."""
        columns = {DELETED_AT: ColumnType.TIMESTAMPTZ, EXTRA: ColumnType.JSONB}
        if not self.keys:
            columns |= {HASH: ColumnType.UUID, COPY: ColumnType.INTEGER}
        if self.record_metadata:
            columns |= {EXTRACTED_AT: ColumnType.TIMESTAMPTZ, BATCHED_AT: ColumnType.TIMESTAMPTZ}
        return columns

    def is_ordering(self, path: Path) -> bool:
        """Tell whether rows are told apart, or their age, by this field."""
        return path in {(name,) for name in (*self.keys, self.replication_key)}
