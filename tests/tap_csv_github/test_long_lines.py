"""Lines and cells without an end cost their own row and no memory."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tap_csv_github.reading import text
from tap_csv_github.reading.encodings import Encoding
from tap_csv_github.reading.text import CutLine, Text
from tests.tap_csv_github.test_messages import PEAK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap_csv_github.conftest import RunTap

MEGABYTE = 1024 * 1024


def lines_of(content: bytes, name: str = "utf-8") -> list[str]:
    reader, found = Text(io.BytesIO(content), Encoding(name)), list[str]()
    while some := reader.lines():
        found += some
    return found


@pytest.mark.parametrize("name", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_lines_are_the_same_however_the_bytes_come(monkeypatch: pytest.MonkeyPatch, name: str, chunk: int) -> None:
    monkeypatch.setattr(text, "CHUNK", chunk)
    chance = random.Random(3)
    for _ in range(200):
        whole = "".join(chance.choices(["\r", "\n", "\r\n", "a", "ü", "\U0001f680", "\u2028", "\x0b"], k=20))
        assert io.StringIO(whole, newline="").readlines() == lines_of(whole.encode(name), name)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_a_line_that_is_too_long_is_cut_and_the_next_is_whole(
    monkeypatch: pytest.MonkeyPatch, end: str, chunk: int
) -> None:
    monkeypatch.setattr(text, "CHUNK", chunk)
    monkeypatch.setattr(text, "MOST_CHARACTERS", 50)
    content = f"before{end}{'x' * 500}{end}after{end}".encode()
    before, cut, *after = lines_of(content)
    assert (f"before{end}", True, [f"after{end}"]) == (before, isinstance(cut, CutLine), after)
    assert len(cut) <= 50 + 2 * chunk
    assert [1, 1] == [len(lines_of(b"x" * 500)), len(lines_of(b"x" * 500 + b"\r\n"))]


@pytest.mark.parametrize("quote", ["", '"'])
def test_d09_a_row_that_is_too_long_is_left_out_with_its_line(run_folder: RunTap, folder: Path, quote: str) -> None:
    (folder / "t.csv").write_text(f"id,v\n1,a\n2,{quote}{'x' * 6 * MEGABYTE}{quote}\n3,c\n", "utf-8")
    run = run_folder()
    assert ["1", "3"] == [row["id"] for row in run.rows("t")]
    ((line, reason),) = run.rejects
    assert (3, True) == (line, "longer than 4,194,304 characters" in reason)
    assert len(run.records("csv_rejects")[0]["raw"]) < MEGABYTE


def test_an_unclosed_quote_before_a_line_that_is_too_long_costs_its_own_line(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_text(f'id,v\n1,"open\n2,b\n3,{"x" * 6 * MEGABYTE}\n4,d\n', "utf-8")
    run = run_folder()
    assert ["2", "4"] == [row["id"] for row in run.rows("t")]
    assert [2, 4] == [line for line, _ in run.rejects]


def test_a_file_without_lines_fails_by_name(run_folder: RunTap, folder: Path) -> None:
    (folder / "b.csv").write_bytes(b"x" * 3 * MEGABYTE)
    (folder / "a.csv").write_text("id\n1\n", "utf-8")
    run = run_folder(stream_name="t")
    assert [{"id": "1"}] == run.rows("t")
    assert "b.csv" in str(run.error.failures["t"])  # type: ignore[union-attr]


def test_a_header_that_is_longer_than_the_sample_makes_no_column_of_its_cut_end(
    run_folder: RunTap, folder: Path
) -> None:
    names = [f"a column with a rather long name, the {number}th of many" for number in range(2000)]
    header = ",".join(f'"{name}"' for name in names)
    (folder / "t.csv").write_text(f"{header}\n{','.join(map(str, range(2000)))}\n", "utf-8")
    run = run_folder(stream_name="t")
    assert [dict(zip(names, map(str, range(2000)), strict=True))] == run.rows("t")


@pytest.mark.parametrize(
    "content",
    [
        b"id,v\n1," + b"x" * 40 * MEGABYTE + b"\n2,b\n",
        b'id,v\n1,"' + b"x" * 40 * MEGABYTE + b'"\n2,b\n',
        b'id,v\n1,"open\n' + (b"3," + b"x" * 9_990 + b"\n") * 3000 + b"2,b\n",
        b"id,v\n2,b\n" + b"\0" * 40 * MEGABYTE,
    ],
    ids=["a line", "a quoted cell", "an unclosed quote", "zeros"],
)
def test_memory_does_not_grow_with_a_line(run_folder: RunTap, folder: Path, tmp_path: Path, content: bytes) -> None:
    """As elsewhere, the whole process stays below 120 MB."""
    (folder / "t.csv").write_bytes(content)
    (tmp_path / "config.json").write_text(json.dumps(run_folder.config(stream_name="t")))
    (tmp_path / "config.json").chmod(0o600)
    command = [sys.executable, "-c", PEAK, str(tmp_path / "peak"), "--config", str(tmp_path / "config.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"id":"2"' in done.stdout
    assert int((tmp_path / "peak").read_text()) < 120_000


def test_d16_half_a_character_at_the_end_of_utf_16_is_one_bad_character(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_bytes("id;v\n1;ü\n2;x".encode("utf-16") + b"y")
    run = run_folder()
    assert [("1", "ü"), ("2", "x\ufffd")] == [(row["id"], row["v"]) for row in run.rows("t")]
