"""Files that break readers of CSV: every row is exact, or left out with its line and the reason."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm.github.objects import blob_sha

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap_csv_github.conftest import RunTap

Rows = list[dict[str, Any]]


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return packed.getvalue()


def rows(names: str, *values: str) -> Rows:
    return [dict(zip(names.split(), each.split("|"), strict=True)) for each in values]


UMLAUTS = "id;näme\r\n1;ü\r\n"
# ruff: noqa: E501 - one file a line reads best
EXACT: dict[str, tuple[bytes, Rows]] = {
    "byte order mark": (codecs.BOM_UTF8 + b"id,name\n1,a\n", rows("id name", "1|a")),
    "utf-16 with mark": (UMLAUTS.encode("utf-16"), rows("id näme", "1|ü")),
    "utf-16 big endian with mark": (codecs.BOM_UTF16_BE + UMLAUTS.encode("utf-16-be"), rows("id näme", "1|ü")),
    "utf-16 without mark": (UMLAUTS.encode("utf-16-le"), rows("id näme", "1|ü")),
    "utf-32 with mark": (UMLAUTS.encode("utf-32"), rows("id näme", "1|ü")),
    "windows-1252": (UMLAUTS.encode("cp1252"), rows("id näme", "1|ü")),
    "utf-8": (UMLAUTS.encode(), rows("id näme", "1|ü")),
    "mixed line ends": (b"id,name\r\n1,a\n2,b\r3,c", rows("id name", "1|a", "2|b", "3|c")),
    "line ends in cells": (b'id,name\n1,"a\r\nb\nc\rd"\n2,x\n', [{"id": "1", "name": "a\r\nb\nc\rd"}, *rows("id name", "2|x")]),
    "doubled quotes": (b'id,name\n1,"say ""hi"""\n', [{"id": "1", "name": 'say "hi"'}]),
    "quotes in the middle": (b'id,name\n1,5" pipe\n', [{"id": "1", "name": '5" pipe'}]),
    "escaped quotes": (b'id,name\n1,"say \\"hi\\", you"\n2,b\n', [{"id": "1", "name": 'say "hi", you'}, *rows("id name", "2|b")]),
    "single quotes": (b"id,name\n1,'a, b'\n2,'c'\n", [{"id": "1", "name": "a, b"}, *rows("id name", "2|c")]),
    "semicolons and decimal commas": (b"id;v\n1;1,5\n2;2,5\n", rows("id v", "1|1,5", "2|2,5")),
    "tabs": (b"id\tname\n1\ta, b\n", [{"id": "1", "name": "a, b"}]),
    "bars": (b"id|name\n1|a\n", rows("id name", "1|a")),
    "a comma in the header of a tab file": (b"id\tname, first\n1\ta\n2\tb\n", [{"id": "1", "name, first": "a"}, {"id": "2", "name, first": "b"}]),
    "more commas in cells than delimiters": (b"id;note\n1;a, b, c, d\n2;e, f, g, h\n", [{"id": "1", "note": "a, b, c, d"}, {"id": "2", "note": "e, f, g, h"}]),
    "one column": (b"id\n1\n2\n", [{"id": "1"}, {"id": "2"}]),
    "one column with an empty cell": (b'id\n""\n2\n', [{"id": ""}, {"id": "2"}]),
    "blank lines": (b"\n\nid,name\n\n1,a\n\n\n2,b\n", rows("id name", "1|a", "2|b")),
    "duplicate headers": (b"id,id,id_2\n1,2,3\n", [{"id": "1", "id_3": "2", "id_2": "3"}]),
    "blank headers": (b"id,, \n1,2,3\n", [{"id": "1", "column_2": "2", "column_3": "3"}]),
    "reserved headers": (b"id,_sdc_path\n1,x\n", [{"id": "1"}]),
    "no last line end": (b"id,name\n1,a", rows("id name", "1|a")),
    "empty file": (b"", []),
    "nothing but a mark": (codecs.BOM_UTF8, []),
    "header only": (b"id,name\n", []),
    "formulas": (b"id,v\n1,=1+1\n2,@SUM(A1)\n3,+1555123\n4,-5\n5,\t=x\n", [{"id": str(n), "v": v} for n, v in enumerate(("=1+1", "@SUM(A1)", "+1555123", "-5", "\t=x"), 1)]),
    "numbers that are none": (b"zip,phone,n,m\n02134,+15551234,1e5,NaN\n007,0049,1_000,12345678901234567890\n", rows("zip phone n m", "02134|+15551234|1e5|NaN", "007|0049|1_000|12345678901234567890")),
    "separators that are no line ends": ("id,v\n1,a\u2028b\x0bc\x0cd\x85e\x1ef\n".encode(), [{"id": "1", "v": "a\u2028b\x0bc\x0cd\x85e\x1ef"}]),
    "nul characters": (b"id,v\n1,a\x00b\n", [{"id": "1", "v": "a\x00b"}]),
    "emoji and marks": ("id,v\n1,👩‍🚀é\u202e\n".encode(), [{"id": "1", "v": "👩‍🚀é\u202e"}]),
    "gzip": (gzip.compress(b"id,name\n1,a\n"), rows("id name", "1|a")),
    "zip": (zipped(one=b"id,name\n1,a\n", two=b"name,id\nb,2\n"), rows("id name", "1|a", "2|b")),
    "a cell of a megabyte": (b"id,v\n1," + b"x" * 1_000_000 + b"\n", [{"id": "1", "v": "x" * 1_000_000}]),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_d15_d16_every_row_is_exact(run_folder: RunTap, folder: Path, name: str) -> None:
    content, expected = EXACT[name]
    (folder / "t.csv").write_bytes(content)
    run = run_folder()
    assert run.error is None
    assert run.rejects == []
    found = run.rows("t")
    assert expected == [
        {column: row[column] for column in row if row[column] is not None or column in expected[0]} for row in found
    ]
    assert run.misfits("t") == []


def test_a_reserved_header_gets_a_number_and_keeps_its_cells(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_bytes(EXACT["reserved headers"][0])
    (record,) = run_folder().records()
    assert ("x", "t.csv") == (record["_sdc_path_2"], record["_sdc_path"])


UNCLOSED: dict[str, tuple[str, list[str], list[int]]] = {
    "before other quotes": ('id,a,n\n1,"open,x\n2,b,2\n3,"c",3\n4,d,4\n', ["2", "3", "4"], [2]),
    "before none": ('id,a,n\n1,"open,x\n2,b,2\n3,c,3\n', ["2", "3"], [2]),
    "in the last line": ('id,a,n\n1,a,1\n2,"open,x', ["1"], [3]),
    "twice": ('id,a,n\n1,"open,x\n2,b,2\n3,"open,y\n4,d,4\n', ["2", "4"], [2, 4]),
    "closed by a later cell": ('id,a,n\n1,"open,x\n2,b,2\n4,c,4"\n5,e,5\n', ["2", "4", "5"], [2]),
    "letters after a quote": ('id,a,n\n1,"a"b,1\n2,c,2\n', ["2"], [2]),
}


@pytest.mark.parametrize("name", UNCLOSED)
def test_d16_an_unclosed_quote_costs_its_own_line_only(run_folder: RunTap, folder: Path, name: str) -> None:
    text, ids, lines = UNCLOSED[name]
    (folder / "t.csv").write_text(text, "utf-8")
    run = run_folder()
    assert ids == [row["id"] for row in run.rows()]
    assert lines == [line for line, _ in run.rejects]
    (first, *_) = run.records("csv_rejects")
    assert text.splitlines(keepends=True)[lines[0] - 1] == first["raw"]


def test_d16_an_unclosed_quote_far_from_the_end_swallows_nothing(run_folder: RunTap, folder: Path) -> None:
    lines = [f"{n},name {n},x" for n in range(60_000)]
    lines[10] = '10,"open,x'
    (folder / "t.csv").write_text("\n".join(["id,a,n", *lines]), "utf-8")
    run = run_folder()
    assert [str(n) for n in range(60_000) if n != 10] == [row["id"] for row in run.rows()]
    assert [(12, "a quote is never closed")] == run.rejects


def test_a_row_over_several_lines_that_fits_the_header_is_taken_as_it_stands(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_text('id,a,n\n1,"see\n2,b,2\n3,b",3\n', "utf-8")
    assert [{"id": "1", "a": "see\n2,b,2\n3,b", "n": "3"}] == run_folder().rows()


def test_bad_quotes_can_be_kept_as_they_stand(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_text('id,a\n1,"a"b\n2,"open\n3,c\n', "utf-8")
    run = run_folder(bad_quotes="keep")
    assert [("1", '"a"b'), ("2", '"open'), ("3", "c")] == [(row["id"], row["a"]) for row in run.rows()]
    assert run.rejects == []


def test_d16_ragged_rows_are_kept_and_padded_or_refused(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_text("id,a\n1,x,y,z\n2\n3,c\n", "utf-8")
    kept = run_folder()
    assert [{"id": "1", "a": "x"}, {"id": "2", "a": None}, {"id": "3", "a": "c"}] == kept.rows()
    assert [["y", "z"], None, None] == [record["_sdc_extra"] for record in kept.records()]
    refused = run_folder(long_rows="reject", short_rows="reject")
    assert [{"id": "3", "a": "c"}] == refused.rows()
    assert [(2, "4 cells where the header has 2"), (3, "1 cells where the header has 2")] == refused.rejects
    assert ['["1","x","y","z"]', '["2"]'] == [reject["raw"] for reject in refused.records("csv_rejects")]


@pytest.mark.parametrize(("policy", "expected"), [("cp1252", "x€"), ("replace", "x\ufffd"), ("reject", None)])
def test_d16_bad_bytes_in_a_file_of_another_encoding(
    run_folder: RunTap, folder: Path, policy: str, expected: str | None
) -> None:
    good = b"id,a\n" + b"".join(b"%d,ok\n" % n for n in range(20_000))
    (folder / "t.csv").write_bytes(good + b"bad,x\x80\nlast,z\n")
    run = run_folder(bad_bytes=policy)
    found = {row["id"]: row["a"] for row in run.rows()}
    assert (expected, "z", "ok") == (found.get("bad"), found["last"], found["0"])
    assert ([] if expected else [(20_002, "bytes that are no utf-8")]) == run.rejects


def test_the_lineage_names_file_line_and_content(run_folder: RunTap, folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "t.csv").write_bytes(b'id,a\n1,"x\ny"\n2,z\n')
    first, second = run_folder().records()
    assert ("in/t.csv", str(folder), 2, 4) == (
        first["_sdc_path"],
        first["_sdc_repository"],
        first["_sdc_line_number"],
        second["_sdc_line_number"],
    )
    assert blob_sha(b'id,a\n1,"x\ny"\n2,z\n') == first["_sdc_blob_sha"]
    assert (1, 2) == (first["_sdc_row_number"], second["_sdc_row_number"])


def test_what_is_detected_is_told_with_the_evidence(
    run_folder: RunTap, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "t.csv").write_bytes(UMLAUTS.encode("cp1252"))
    caplog.set_level("INFO")
    run_folder()
    (line,) = [each.getMessage() for each in caplog.records if "is read as" in each.getMessage()]
    assert "cp1252 (byte 5 of the sample is not UTF-8), delimiter ';'" in line
    assert "rows have 2 cells" in line


def test_settings_are_stronger_than_what_a_file_looks_like(run_folder: RunTap, folder: Path) -> None:
    (folder / "t.csv").write_bytes(b"# made by hand\nA;1,B;2\nc;3,d;4\n")
    run = run_folder(delimiter=",", skip_lines=1, columns=["left", "right"], null_values=["d;4"])
    assert [{"left": "A;1", "right": "B;2"}, {"left": "c;3", "right": None}] == run.rows()


def test_a_broken_archive_fails_its_file_and_no_other(run_folder: RunTap, folder: Path) -> None:
    packed = gzip.compress(b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(5000)))
    (folder / "a.csv.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "b.csv").write_bytes(b"id,name\n1,a\n")
    run = run_folder(stream_name="t")
    assert run.error is not None
    assert {"id": "1", "name": "a"}.items() <= run.rows()[-1].items()
    assert "a.csv.gz" in str(run.error.failures["t"])  # type: ignore[attr-defined]
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"id,name\n2,b\n"))
    again = run_folder(stream_name="t", state=run.state)
    assert again.error is None
    assert "2" in [row.get("id") for row in again.rows()]
