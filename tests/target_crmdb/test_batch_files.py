"""BATCH messages: every record of their files takes the road of a RECORD, in bounded memory, and none is doubled."""

from __future__ import annotations

import gzip
import importlib.util
import json
import logging
import signal
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from target_crmdb import TargetCrmdb
from target_crmdb.exceptions import BrokenMessageError, ConfigError, CrmdbError, RecordBeforeSchemaError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer

PLAIN: dict[str, Any] = {"format": "jsonl"}
GZIP: dict[str, Any] = {"format": "jsonl", "compression": "gzip"}
PARQUET: dict[str, Any] = {"format": "parquet"}


def batch(*paths: Path | str, encoding: Message = GZIP, **more: Any) -> Message:
    urls = [path if isinstance(path, str) else path.as_uri() for path in paths]
    return {"type": "BATCH", "stream": "contacts", "encoding": encoding, "manifest": urls, **more}


def lines(*records: Message | bytes) -> bytes:
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


def packed(path: Path, *records: Message | bytes) -> Path:
    path.write_bytes(gzip.compress(lines(*records)))
    return path


def plain(path: Path, *records: Message | bytes) -> Path:
    path.write_bytes(lines(*records))
    return path


@pytest.mark.parametrize(
    ("encoding", "write"), [(PLAIN, plain), (PLAIN | {"compression": "none"}, plain), (GZIP, packed)]
)
def test_files_of_lines(load: Loader, singer: Singer, tmp_path: Path, encoding: Message, write: Any) -> None:
    """Two files, in a folder whose name has a blank and a sign; numbers keep their digits; the files stay."""
    (tmp_path / "a #b%").mkdir()
    exact = b'{"id": "1", "v": 1234567890123456789.123456789, "at": "2026-01-01T00:00:00+02:00"}\r'
    first = write(tmp_path / "a #b%" / "one", exact, b"", {"id": "2"})
    second = write(tmp_path / "two", {"id": "3", "other": 1}, {"id": "4", "v": 5})
    states = load(singer.schema({"v": singer.number}), batch(first, second, encoding=encoding), singer.state(1))
    assert [{"bookmarks": 1}] == states
    assert [("1", Decimal("1234567890123456789.123456789")), ("2", None), ("3", None), ("4", 5)] == load.table("id, v")
    assert [(datetime(2025, 12, 31, 22, tzinfo=UTC),)] == load.database.query(
        "SELECT at FROM crm_test.contacts WHERE id = '1'"
    )
    assert {"seen": 4, "created": 4} == load.outcomes()
    assert first.exists()


def test_the_place_of_the_files_is_a_setting(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """As in the SDK: of each URL only the file's name counts then."""
    packed(tmp_path / "one.jsonl.gz", {"id": "1"})
    storage = {"encoding": GZIP, "storage": {"root": tmp_path.as_uri()}}
    load(singer.schema(), batch("s3://elsewhere/one.jsonl.gz"), batch_config=storage)
    assert [("1",)] == load.table("id")


def test_a_file_that_the_sdk_writes(load: Loader, singer: Singer, tmp_path: Path) -> None:
    from singer_sdk.contrib.batch_encoder_jsonl import JSONLinesBatcher  # noqa: PLC0415
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig, StorageTarget  # noqa: PLC0415

    config = BatchConfig(BaseBatchFileEncoding("jsonl", "gzip"), StorageTarget(tmp_path.as_uri()), batch_size=2)
    batcher = JSONLinesBatcher("tap-x", "contacts", config)
    for manifest in batcher.get_batches(iter([{"id": str(n), "v": Decimal("0.1")} for n in range(5)])):
        load(singer.schema({"v": singer.number}), batch(*manifest))
    assert [(str(n), Decimal("0.1")) for n in range(5)] == load.table("id, v")


def test_a_bad_record_among_good_ones(
    load: Loader, singer: Singer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """D04: its line is the BATCH message's, its payload a RECORD message by which it can be loaded again."""
    records: list[Message | bytes] = [
        {"id": "1"},
        {"id": "2", "v": "canary"},
        b'{"id": "3", "v": NaN}',
        b'{"id": "4", "v": 1e200000}',
        {"id": "5", "v": 5},
    ]
    with caplog.at_level(logging.DEBUG):
        load(singer.schema({"v": singer.number}), batch(packed(tmp_path / "f", *records), version=7), singer.state(1))
    assert [("1", None), ("5", 5)] == load.table("id, v")
    found = load.database.query("SELECT line, stage, field, payload FROM _crmdb.rejects ORDER BY payload")
    assert [(2, "validate", "v"), (2, "validate", "v"), (2, "load", "v")] == [row[:3] for row in found]
    assert singer.record({"id": "2", "v": "canary"}, version=7) == json.loads(found[0][3])
    assert "canary" not in caplog.text


def test_a_line_that_is_no_record(
    load: Loader, singer: Singer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """T16, D10: also one that would be a record only together with what is put round it."""
    broken = [b'{"id": "2", ', b'{"id": "3"}, "stream": "contacts"', b'["4"]', b'{"id": "\xff"}']
    file = plain(tmp_path / "f", {"id": "1"}, *broken, {"id": "6"})
    with pytest.raises(BrokenMessageError):
        load.to_stdout(singer.schema(), batch(file, encoding=PLAIN), singer.state(1))
    assert [("1",), ("6",)] == load.table("id")
    assert [("contacts", 2, None, "broken_message")] * 4 == load.rejects()
    assert {"seen": 6, "created": 2, "rejected": 4} == load.outcomes()
    assert "" == capsys.readouterr().out


def test_a_record_without_its_key(load: Loader, singer: Singer, tmp_path: Path) -> None:
    file = packed(tmp_path / "f", {"id": "1"}, {"at": None})
    load(singer.schema(), batch(file), max_protocol_errors=1)
    assert [("contacts", 2, "id", "missing_key")] == load.rejects()


def test_a_batch_before_its_schema(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T15."""
    with pytest.raises(RecordBeforeSchemaError, match="BATCH of stream contacts"):
        load(batch(packed(tmp_path / "f", {"id": "1"})), singer.schema(stream="deals"))
    assert [("contacts", 1, None, "record_before_schema")] == load.rejects()


@pytest.mark.parametrize("wrong", [{"manifest": "x"}, {"encoding": None}, {"manifest": [1]}, {"stream": 1}])
def test_a_batch_that_is_none(load: Loader, singer: Singer, wrong: Message) -> None:
    load(singer.schema(), batch() | wrong, max_protocol_errors=1)
    assert ["broken_message"] == [found[3] for found in load.rejects()]


def test_characters_that_postgres_cannot_hold(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """D01, D02."""
    file = packed(tmp_path / "f", b'{"id": "1", "v": "a\\u0000\\ud800"}')
    load(singer.schema({"v": singer.text}), batch(file))
    assert [("a\ufffd\ufffd",)] == load.table("v")
    load(singer.schema({"v": singer.text}), batch(file), sanitize_null_text_characters=False)
    assert [("contacts", 2, None, "unstorable_text")] == load.rejects()


def test_a_stream_map_is_applied(load: Loader, singer: Singer, tmp_path: Path) -> None:
    file = packed(tmp_path / "f", {"id": "1", "v": "x"}, {"id": "2", "v": "y"})
    maps = {"contacts": {"v": "v.upper()", "__alias__": "people", "__filter__": "id != '2'"}}
    load(singer.schema({"v": singer.text}), batch(file), stream_maps=maps)
    assert [("1", "X")] == load.table("id, v", "people")


def test_a_version_is_that_of_every_record(load: Loader, singer: Singer, tmp_path: Path) -> None:
    load(singer.schema(), singer.record({"id": "gone"}))
    load(singer.schema(), batch(packed(tmp_path / "f", {"id": "1"}), version=2), singer.activate(2))
    assert [("1",)] == load.database.query("SELECT id FROM crm_test.contacts WHERE _sdc_deleted_at IS NULL")


def test_a_file_larger_than_a_batch_commits_in_between(
    load: Loader, singer: Singer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """STATE after it is printed only once the whole file is in."""
    file = packed(tmp_path / "f", *({"id": f"{n:03}"} for n in range(100)))
    missing = tmp_path / "missing"
    messages = [singer.schema(), singer.state("before"), batch(file, missing), singer.state("after")]
    with pytest.raises(CrmdbError, match="missing"):
        load.to_stdout(*messages, batch_size_rows=30)
    assert [{"bookmarks": "before"}] == [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 90 == len(load.table("id"))
    assert [("failed",)] == load.database.query("SELECT status FROM _crmdb.runs")
    assert not missing.parent.joinpath("missing").exists()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(gzip.compress(lines({"id": "1"}) * 9)[:-12], GZIP), (b"no gzip", GZIP), (b"no parquet", PARQUET)],
    ids=["cut off", "no gzip", "no parquet"],
)
def test_a_broken_file_fails_the_run(
    load: Loader, singer: Singer, tmp_path: Path, content: bytes, encoding: Message
) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(CrmdbError, match="/f of stream contacts cannot be read"):
        load(singer.schema(), batch(tmp_path / "f", encoding=encoding), singer.state(1))
    assert [] == load.database.query("SELECT * FROM _crmdb.state")


def test_an_encoding_that_is_not_known(load: Loader, singer: Singer, tmp_path: Path) -> None:
    with pytest.raises(CrmdbError, match=r"zstd.*batch_config"):
        load(singer.schema(), batch(tmp_path / "f", encoding={"format": "jsonl", "compression": "zstd"}))


@pytest.mark.skipif(importlib.util.find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_file_system_that_is_not_installed(load: Loader, singer: Singer) -> None:
    with pytest.raises(ConfigError, match="s3fs"):
        load(singer.schema(), batch("s3://bucket/f"))


def test_a_secret_in_a_url_is_not_told(load: Loader, singer: Singer) -> None:
    with pytest.raises(CrmdbError) as caught:
        load(singer.schema(), batch("file://user:canary@host/nowhere/f?sig=canary"))
    assert "canary" not in str(caught.value)


def test_kill_9_within_a_file_then_a_clean_run(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T10."""
    file = packed(tmp_path / "f", *({"id": f"{n:03}", "v": n} for n in range(100)))
    messages = [singer.schema({"v": singer.integer}), batch(file), singer.state(1)]
    killed = load.process(tmp_path, *messages, env={"CRMDB_FAILPOINTS": "after_commit:2=kill"}, batch_size_rows=20)
    assert (-signal.SIGKILL, b"") == (killed.returncode, killed.stdout)
    assert 0 < len(load.table("id")) < 100
    clean = load.process(tmp_path, *messages, batch_size_rows=20)
    assert 0 == clean.returncode, clean.stderr
    assert [(f"{n:03}", n) for n in range(100)] == load.table("id, v")
    assert {"seen": 100, "created": 60, "unchanged": 40} == load.outcomes()


# Parquet


def columnar(path: Path, columns: dict[str, pa.Array], **how: Any) -> Path:
    parquet.write_table(pa.table(columns), path, **how)
    return path


def test_parquet(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """Every type of it that a CRM may have, exact."""
    berlin = timezone(timedelta(hours=2))
    columns = {
        "id": pa.array(["1", "2"]),
        "whole": pa.array([2**63 - 1, None], pa.int64()),
        "amount": pa.array([Decimal("1234567890123456.123456789"), None], pa.decimal128(25, 9)),
        "share": pa.array([0.1, 1e300], pa.float64()),
        "at": pa.array([datetime(2026, 1, 1, 2, 0, 0, 123456, tzinfo=berlin), None], pa.timestamp("ns", "UTC")),
        "naive": pa.array([datetime(2026, 1, 1), None], pa.timestamp("ms")),  # noqa: DTZ001 - that is the case
        "day": pa.array([date(2026, 2, 3), None], pa.date32()),
        "clock": pa.array([time(10, 11, 12), None], pa.time64("us")),
        "raw": pa.array([b"\x00\xff", None], pa.binary()),
        "yes": pa.array([True, None]),
        "nested": pa.array([{"n": [Decimal("1.10")]}, None]),
        "kind": pa.array(["a", None]).dictionary_encode(),
    }
    text, number = singer.text, singer.number
    schema = singer.schema({
        "whole": singer.integer, "amount": number, "share": number, "naive": singer.instant,
        "day": text | {"format": "date"}, "clock": text | {"format": "time"}, "raw": text,
        "yes": {"type": ["null", "boolean"]}, "nested": {"type": ["null", "object"]}, "kind": text,
    })  # fmt: skip
    load(schema, batch(columnar(tmp_path / "f", columns), encoding=PARQUET))
    assert [] == load.rejects()
    first, second = load.table("whole, amount, share, at, naive, day, clock, raw, yes, nested::text, kind")
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    assert (None, None, Decimal("1e300"), *[None] * 8) in {first, second}
    assert (
        2**63 - 1, Decimal("1234567890123456.123456789"), Decimal("0.1"), midnight.replace(microsecond=123456),
        midnight, date(2026, 2, 3), time(10, 11, 12), "AP8=", True, '{"n": [1.10]}', "a",
    ) in {first, second}  # fmt: skip


def test_what_parquet_knows_and_json_does_not_is_a_reject(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """D03, D04: a NaN, and a year that Python's own times cannot say, in this row only."""
    columns = {
        "id": pa.array(["1", "2", "3", "4"]),
        "v": pa.array([1.5, float("nan"), float("-inf"), None]),
        "at": pa.array([None, None, None, 253402300800], pa.timestamp("s", "Europe/Berlin")),
    }
    load(singer.schema({"v": singer.number}), batch(columnar(tmp_path / "f", columns), encoding=PARQUET))
    assert [("1", Decimal("1.5"))] == load.table("id, v")
    assert [("contacts", 2, "v", "type"), ("contacts", 2, "v", "type"), ("contacts", 2, "at", "invalid_datetime")] == (
        load.rejects()
    )


def test_parquet_is_read_row_group_by_row_group(load: Loader, singer: Singer, tmp_path: Path) -> None:
    columns = {"id": pa.array([f"{n:05}" for n in range(5000)])}
    file = columnar(tmp_path / "f", columns, row_group_size=700)
    load(singer.schema(), batch(file, encoding=PARQUET), batch_size_rows=1000)
    assert {"seen": 5000, "created": 5000} == load.outcomes()
    assert [(5,)] == load.database.query("SELECT batches FROM _crmdb.run_streams")


def test_parquet_without_pyarrow_says_what_to_install(
    load: Loader, singer: Singer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "target_crmdb.parquet", raising=False)
    with pytest.raises(ConfigError, match=r"crmdb-target-crmdb\[parquet\]"):
        load(singer.schema(), batch(tmp_path / "f", encoding=PARQUET))


def test_the_capability_is_told() -> None:
    assert "batch" in {capability.value for capability in TargetCrmdb.capabilities}
