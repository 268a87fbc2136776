"""Every fault of the catalogue that target-crmdb must stand is named by a test: in its name or its docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parents[1] / "target_crmdb"
DATA = (1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 17)
WANTED = {f"D{number:02}" for number in DATA} | {f"T{number:02}" for number in range(1, 22)}


def ids_in(text: str) -> Iterator[str]:
    """The ids of a text; `D03-D06` is all from the one to the other."""
    for kind, first, last in re.findall(r"\b([DT])(\d\d)(?:-\1(\d\d))?\b", text):
        yield from (f"{kind}{number:02}" for number in range(int(first), int(last or first) + 1))


def ids_named(source: str) -> set[str]:
    """The ids that the tests of a file name."""
    tests = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    texts = [f"{test.name.upper().replace('_', ' ')} {ast.get_docstring(test) or ''}" for test in tests]
    return {found for text in texts for found in ids_in(text)}


def test_every_fault_has_a_test() -> None:
    named = set[str]().union(*(ids_named(path.read_text("utf-8")) for path in TESTS.rglob("test_*.py")))
    assert set() == WANTED - named


def test_the_check_reads_names_and_docstrings_of_tests_only() -> None:
    test = 'def test_t02_x() -> None:\n    """D03-D05, T20; 2026-01-01T07:00."""\n'
    source = f'"""T01."""\n{test}def other() -> None:\n    """T03."""\n'
    assert {"T02", "D03", "D04", "D05", "T20"} == ids_named(source)
