"""Odd inputs, each a small file of tests/messages; all of them are read to the end and give their STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("blank_lines", [("1", "a"), ("2", "b")]),
        ("windows_line_ends", [("1", "a")]),
        ("no_newline_at_the_end", [("1", "a")]),
        ("torn_last_line", [("1", "a")]),
        ("duplicate_keys_in_an_object", [("1", "a")]),
        ("controls_and_separators", [("1", "a\u2028b\u2029c\x7f\x85d\\N\\."), ("\\.", None)]),
        ("surrogates", [("1", "😀 \ufffd alone")]),
        ("archived_and_restored", [("1", "back")]),
        ("schema_only", []),
        ("state_only", None),
        ("alternating_schemas", [("1", "a"), ("2", "b"), ("3", "c")]),
    ],
)
def test_file(load: Loader, name: str, rows: list[tuple[str, str | None]] | None) -> None:
    assert [{"bookmarks": "end"}] == load.file(name)
    assert [] == load.rejects()
    if rows is not None:
        assert sorted(rows) == sorted(
            load.database.query("SELECT id, name FROM crm_test.contacts WHERE _sdc_deleted_at IS NULL")
        )
