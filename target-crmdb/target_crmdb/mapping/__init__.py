"""Where a CRM's fields go: types, names and the plan of each table. Pure; no database."""

__all__ = [
    "COPY",
    "DELETED_AT",
    "EXTRA",
    "HASH",
    "Column",
    "ColumnType",
    "Drift",
    "Field",
    "NormalColumn",
    "Path",
    "SourceMapping",
    "StreamMapping",
    "TablePlan",
    "WantedNormal",
    "column_type",
    "dotted",
    "fields_of",
    "free_name",
    "name_columns",
    "snake_case",
    "wider",
]

from target_crmdb.mapping.fields import DELETED_AT, EXTRA, Field, fields_of
from target_crmdb.mapping.names import Path, dotted, free_name, name_columns, snake_case
from target_crmdb.mapping.normals import NormalColumn, WantedNormal
from target_crmdb.mapping.plan import COPY, HASH, Column, Drift, TablePlan
from target_crmdb.mapping.source import SourceMapping, StreamMapping
from target_crmdb.mapping.types import ColumnType, column_type, wider
