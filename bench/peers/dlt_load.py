"""Load a Singer file with dlt by its fastest road: `dlt_load.py FILE URL DATASET FOLDER`.

The file becomes an Arrow table by pyarrow's own JSON reader, which checks types and nothing else; dlt writes that as
parquet, and ADBC copies it into a staging table, from which dlt upserts. Runs in the environment of dlt.txt.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import dlt  # type: ignore[import-not-found]
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES = {
    "date-time": pa.timestamp("us", "UTC"),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
_BLOCK = 16 << 20


def main(file: str, url: str, dataset: str, folder: str) -> None:
    """Read the SCHEMA message as a target would, then load all records in one go."""
    with open(file, encoding="utf-8") as lines:  # noqa: PTH123 - a path as given
        message = json.loads(lines.readline())
    resource = dlt.resource(
        _tables(file, message["schema"]["properties"]),
        name=message["stream"],
        primary_key=message["key_properties"],
        write_disposition={"disposition": "merge", "strategy": "upsert"},
    )
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=folder, destination=dlt.destinations.postgres(url), dataset_name=dataset
    )
    pipeline.run(resource, loader_file_format="parquet").raise_on_failed_jobs()


def _tables(file: str, properties: Mapping[str, Any]) -> Iterator[Any]:
    record = pa.struct([(name, _type(schema)) for name, schema in properties.items()])
    known = pa.schema([("type", pa.string()), ("record", record)])
    messages = pj.read_json(
        file,
        read_options=pj.ReadOptions(block_size=_BLOCK),
        parse_options=pj.ParseOptions(explicit_schema=known, unexpected_field_behavior="ignore"),
    )
    records = messages.filter(pc.equal(messages["type"], "RECORD")).select(["record"]).flatten()
    table = records.rename_columns(list(properties))
    for at, (name, schema) in enumerate(properties.items()):
        if schema.get("format") == "date":  # pyarrow's reader takes numbers only
            table = table.set_column(at, name, pc.cast(table[name], pa.date32()))
    if table.num_rows:  # ADBC refuses an empty one
        yield table


def _type(schema: Mapping[str, Any]) -> Any:
    kinds = [schema.get("format"), *schema["type"]] if isinstance(schema["type"], list) else [schema["type"]]
    return next((_TYPES[kind] for kind in kinds if kind in _TYPES), pa.string())


if __name__ == "__main__":
    main(*sys.argv[1:])
