"""Random tables in random dialects come back exactly; random histories with kills end as the repository stands."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_crm import FakeGitHub
from tap_csv_github.tap import TapCsvGithub
from tests.tap_csv_github.conftest import Run, RunTap, Table

CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=CHECKS, database=None)
LONG = settings(max_examples=600, deadline=None, suppress_health_check=CHECKS, database=None)

# -- tables -----------------------------------------------------------------------------------------------------------

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1")
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
AWKWARD = st.sampled_from(
    ['"', '""', "\n", "\r\n", "\r", ",", ";", "\t", "|", "'", " ", "", "=1+1", "007", "\\", 'a"b', "x\r\ny"]
)
CELLS = st.one_of(ANY_TEXT, AWKWARD, st.lists(AWKWARD, max_size=4).map("".join))
WORDS = st.text("abcdefghijklmnop", min_size=1, max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header of distinct words and rows of any text."""
    width = draw(st.integers(1, 5))
    header = draw(st.lists(WORDS, min_size=width, max_size=width, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))
    return header, rows


def written(header: list[str], rows: list[list[str]], encoding: str, **dialect: Any) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, **dialect)
    writer.writerows([header, *rows])
    return text.getvalue().encode(encoding, "ignore")


def readable(rows: list[list[str]], encoding: str) -> list[list[str]]:
    """The rows without the characters that an encoding does not have."""
    return [[cell.encode(encoding, "ignore").decode(encoding) for cell in row] for row in rows]


def read(content: bytes, **entry: Any) -> Run:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "t.csv").write_bytes(content)
        return RunTap({"location": name, "path": "**", "stream_name": "t"})(**entry)


@QUICK
@given(
    tables(),
    st.sampled_from(ENCODINGS),
    st.sampled_from(",;\t|:"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_table_in_any_dialect_comes_back_exactly(
    table: tuple[list[str], list[list[str]]], encoding: str, delimiter: str, end: str, quoting: Any
) -> None:
    """D14, D15: whatever is in the cells; the settings say how the file was written."""
    header, rows = table
    # with another line end Python's writer leaves a lone \r or \n unquoted, and nobody can tell what was meant
    quoting = quoting if end == "\r\n" else csv.QUOTE_ALL
    plain = "utf-8" if encoding == "utf-8-sig" else encoding
    rows = readable(rows, "utf-8" if encoding.startswith("utf") else encoding)
    content = written(header, rows, encoding, delimiter=delimiter, lineterminator=end, quoting=quoting)
    run = read(content, encoding=plain, delimiter=delimiter, quotechar='"')
    assert run.error is None
    assert run.rejects == []
    assert [dict(zip(header, row, strict=True)) for row in rows] == run.rows()


@QUICK
@given(
    st.lists(st.lists(st.text("abcäöü 0123456789.-+=", max_size=9), min_size=3, max_size=3), min_size=2, max_size=30),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_an_ordinary_table_needs_no_settings(rows: list[list[str]], encoding: str, delimiter: str, end: str) -> None:
    """D16: encoding and dialect are told by the file."""
    header = ["id", "name", "näme"]
    content = written(header, rows, encoding, delimiter=delimiter, lineterminator=end)
    assert [dict(zip(header, row, strict=True)) for row in rows] == read(content).rows()


# -- histories --------------------------------------------------------------------------------------------------------

KEYS = [str(number) for number in range(40)]
PATHS = ["a.csv", "b.csv", "in/c.csv"]


class History:
    """A repository that people change at random; every key stands in one file at most."""

    def __init__(self, github: FakeGitHub, chance: random.Random) -> None:
        self.chance = chance
        self.github = github
        self.files: dict[str, dict[str, str]] = {"a.csv": dict.fromkeys(KEYS[:10], "first")}
        self.repository = github.repository("acme/crm", self._texts())

    def _texts(self) -> dict[str, str]:
        return {path: self._text(rows) for path, rows in self.files.items()}

    def _text(self, rows: dict[str, str]) -> str:
        order = list(rows)
        self.chance.shuffle(order)
        columns = ["id", "name"] if self.chance.random() < 0.7 else ["name", "id"]
        lines = [",".join({"id": key, "name": rows[key]}[name] for name in columns) for key in order]
        return "\n".join([",".join(columns), *lines]) + "\n"

    def edit(self) -> None:
        """One commit or force push."""
        step = self.chance.choice([self._rows, self._rows, self._rows, self._rename, self._delete, self._move])
        step()
        wanted = self._texts()
        if self.chance.random() < 0.2:
            self.repository.force_push(wanted)
            if self.chance.random() < 0.5:
                self.repository.collect_garbage()
        else:
            gone = dict.fromkeys(self.repository.files().keys() - wanted.keys())
            self.repository.commit({**wanted, **gone})

    def _rows(self) -> None:
        path = self.chance.choice(PATHS)
        rows = self.files.setdefault(path, {})
        taken = {key for other in self.files.values() for key in other}
        for _ in range(self.chance.randrange(1, 6)):
            key = self.chance.choice(KEYS)
            if key in rows and self.chance.random() < 0.4:
                del rows[key]
            elif key in rows or key not in taken:
                rows[key] = f"v{self.chance.randrange(3)}"

    def _rename(self) -> None:
        old = self.chance.choice(sorted(self.files))
        new = self.chance.choice([path for path in [*PATHS, "moved.csv"] if path not in self.files] or [old])
        self.files[new] = self.files.pop(old)

    def _delete(self) -> None:
        if len(self.files) > 1:
            del self.files[self.chance.choice(sorted(self.files))]

    def _move(self) -> None:
        source, target = self.chance.choice(sorted(self.files)), self.chance.choice(PATHS)
        for key in self.chance.sample(sorted(self.files[source]), min(3, len(self.files[source]))):
            value = self.files[source].pop(key)
            self.files.setdefault(target, {})[key] = value

    @property
    def truth(self) -> list[tuple[str, str]]:
        return sorted((key, value) for rows in self.files.values() for key, value in rows.items())


def check_history(monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], seed: int) -> None:
    monkeypatch.setattr("tap_csv_github.reading.text.CHUNK", 30)
    monkeypatch.setattr(TapCsvGithub, "state_seconds", 0.0)
    chance = random.Random(seed)
    with FakeGitHub() as github:
        history = History(github, chance)
        run_tap = RunTap(
            {"repository": "acme/crm", "path": "**/*.csv", "stream_name": "t"},
            {"api_url": github.api_url, "auth_token": github.token},
        )
        table, state = Table("t"), None
        for _ in range(chance.randrange(2, 7)):
            run = run_tap(**entry, state=state)
            assert run.error is None
            if chance.random() < 0.5:
                ends = [at for at, message in enumerate(run.messages, 1) if message["type"] == "STATE"]
                run = Run(run.messages[: chance.choice(ends)])
            table.load(run)
            state = run.state
            for _ in range(chance.randrange(3)):
                history.edit()
        last = run_tap(**entry, state=state)
        table.load(last)
        assert history.truth == sorted((row["id"], row["name"]) for row in table.live)
        assert [] == run_tap(**entry, state=last.state).records("t")


WAYS = pytest.mark.parametrize("entry", [{"key_properties": ["id"]}, {}], ids=["keyed", "by place"])


@WAYS
@QUICK
@given(st.integers(0, 2**32))
def test_any_history_with_kills_ends_as_the_repository_stands(
    monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], seed: int
) -> None:
    """S01, S02, S07: edits, renames, deletions, force pushes, moves between files; runs cut after any STATE."""
    check_history(monkeypatch, entry, seed)


@pytest.mark.long
@WAYS
@LONG
@given(st.integers(0, 2**32))
def test_many_more_histories(monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], seed: int) -> None:
    check_history(monkeypatch, entry, seed)
