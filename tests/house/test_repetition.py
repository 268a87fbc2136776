"""Logic that two packages share belongs in crmdb-core: no run of equal statements stands in two of them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "crmdb-core/crmdb_core",
    "fake-crm/fake_crm",
    "tap-csv-github/tap_csv_github",
    "tap-hubspot/tap_hubspot",
    "tap-salesforce/tap_salesforce",
    "tap-pipedrive/tap_pipedrive",
    "target-crmdb/target_crmdb",
)
LONGEST_ALLOWED = 11


def is_declaration(node: ast.stmt) -> bool:
    """Imports, docstrings, bare annotations and constants: alike by nature, not by copying."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Constant | None)


def statements(tree: ast.AST) -> Iterator[str]:
    """Every statement in order; a compound one as its head, its body following."""
    for node in ast.walk(tree):
        for block in (
            getattr(node, "body", None),
            getattr(node, "orelse", None),
            getattr(node, "finalbody", None),
        ):
            if isinstance(block, list):
                yield from (head_of(child) for child in block if not is_declaration(child))
                yield "-- end of block --"


def head_of(node: ast.stmt) -> str:
    text = ast.unparse(node)
    return text.split("\n", 1)[0] if hasattr(node, "body") else text


def runs_between(first: list[str], second: list[str], length: int) -> set[str]:
    """The runs of `length` statements that stand in both, within one block each."""

    def windows(lines: list[str]) -> set[str]:
        found = ("\n".join(lines[at : at + length]) for at in range(len(lines) - length + 1))
        return {run for run in found if "-- end of block --" not in run}

    return windows(first) & windows(second)


def test_no_two_packages_share_twelve_statements() -> None:
    read = {
        package: [
            line
            for path in sorted((ROOT / package).rglob("*.py"))
            for line in [*statements(ast.parse(path.read_text("utf-8"))), "-- end of block --"]
        ]
        for package in PACKAGES
    }
    shared = {
        f"{first} ~ {second}": runs
        for at, first in enumerate(PACKAGES)
        for second in PACKAGES[at + 1 :]
        if (runs := runs_between(read[first], read[second], LONGEST_ALLOWED + 1))
    }
    assert shared == {}


def test_the_check_sees_a_copied_function() -> None:
    body = "\n".join(f"    step_{n}(value + {n})" for n in range(12))
    first = list(statements(ast.parse(f"def one(value):\n{body}\n")))
    second = list(statements(ast.parse(f"import os\n\ndef other(value):\n    start()\n{body}\n")))
    assert runs_between(first, second, 12)
    assert not runs_between(first, second, 13)
