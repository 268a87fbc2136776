"""Parquet files as records in JSON text, some rows at a time.

Parquet has types that JSON lacks. Decimals keep their digits; a double is written as the shortest number that gives
it back; dates, times and instants become ISO 8601 (instants with a zone in UTC), to the nanosecond; binary values
become base64; maps become objects. NaN and the infinities, which JSON lacks, are written so that validation finds them.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import IO, Any

import msgspec

from target_crmdb.exceptions import ConfigError

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet
except ImportError as _error:
    raise ConfigError(
        "BATCH files in Parquet need pyarrow, which is not installed; install it: pip install "
        "'crmdb-target-crmdb[parquet]', or set the tap's batch_config to jsonl"
    ) from _error

_ROWS = 1000
_encode = msgspec.json.Encoder(decimal_format="number").encode


def read_parquet(file: IO[bytes], _stack: ExitStack) -> Iterator[bytes]:
    """Yield the JSON text of every row; of a row group, only a page of each column is in memory."""
    source = parquet.ParquetFile(file, buffer_size=2**16)
    texts = [name for name, kind in _columns(source.schema_arrow) if pa.types.is_temporal(kind)]
    floats = [name for name, kind in _columns(source.schema_arrow) if _has_float(kind)]
    for rows in source.iter_batches(batch_size=_ROWS, use_threads=False):
        for record in _with_texts(rows, texts).to_pylist(maps_as_pydicts="strict"):
            record.update({name: _finite(record[name]) for name in floats})
            yield _encode(record)


def _columns(schema: Any) -> list[tuple[str, Any]]:
    return [(field.name, field.type) for field in schema]


def _has_float(kind: Any) -> bool:
    if pa.types.is_nested(kind):
        return any(_has_float(kind.field(place).type) for place in range(kind.num_fields))
    return bool(pa.types.is_floating(kind))


def _with_texts(rows: Any, names: list[str]) -> Any:
    """Write these columns as ISO 8601; Arrow does so for any year and unit, where Python's own types would fail."""
    for name in names:
        rows = rows.set_column(rows.schema.get_field_index(name), name, _as_text(rows[name]))
    return rows


def _as_text(values: Any) -> Any:
    kind = values.type
    if not pa.types.is_timestamp(kind):
        return pc.cast(values, pa.string())
    local = pc.cast(values, pa.timestamp(kind.unit))  # of an instant: its time in UTC, without a zone database
    text = pc.replace_substring(pc.cast(local, pa.string()), " ", "T")
    return text if kind.tz is None else pc.binary_join_element_wise(text, "Z", "")


def _finite(value: Any) -> Any:
    """Replace NaN and the infinities, which would be written as null, by Decimals, which are written as they are."""
    if isinstance(value, float):
        return value if math.isfinite(value) else Decimal(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return value
