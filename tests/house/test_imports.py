"""Who may import whom: the directions that keep every plugin usable alone."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "crmdb_core": ROOT / "crmdb-core",
    "fake_crm": ROOT / "fake-crm",
    "tap_csv_github": ROOT / "tap-csv-github",
    "tap_hubspot": ROOT / "tap-hubspot",
    "tap_salesforce": ROOT / "tap-salesforce",
    "tap_pipedrive": ROOT / "tap-pipedrive",
    "target_crmdb": ROOT / "target-crmdb",
}
# Of our own modules, what each package may import beside itself. A prefix allows what is below it.
ALLOWED: dict[str, tuple[str, ...]] = {
    "crmdb_core": (),
    "fake_crm": (),
    "tap_csv_github": ("crmdb_core",),
    "tap_hubspot": ("crmdb_core",),
    "tap_salesforce": ("crmdb_core",),
    "tap_pipedrive": ("crmdb_core",),
    "target_crmdb": ("crmdb_core.exits", "crmdb_core.redaction", "crmdb_core.start"),
}
# Inside the target: what is pure stays pure, and what is given a cursor never opens a connection.
INSIDE_TARGET: dict[str, tuple[str, ...]] = {
    "mapping": ("sqlalchemy", "psycopg", "singer_sdk.sql", "target_postgres", "target_crmdb.database"),
    "validation": ("sqlalchemy", "psycopg", "singer_sdk.sql", "target_postgres", "target_crmdb.database"),
    "staging": ("target_crmdb.database", "target_crmdb.target", "target_crmdb.sink"),
    "merge": ("target_crmdb.database", "target_crmdb.target", "target_crmdb.sink"),
    "history": ("target_crmdb.database", "target_crmdb.target", "target_crmdb.sink"),
    "rejects": ("target_crmdb.database", "target_crmdb.target", "target_crmdb.sink"),
}


def imports_of(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_below(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def modules_of(package: str) -> list[Path]:
    found = sorted((OURS[package] / package).rglob("*.py"))
    assert found, f"{package} has no module"
    return found


@pytest.mark.parametrize("package", OURS)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules_of(package)
        for name in imports_of(path)
        if name.split(".")[0] in {*OURS, *(other for other in ("tests", "bench"))} - {package}
        and not is_below(name, ALLOWED[package])
    ]
    assert wrong == []


@pytest.mark.parametrize("part", INSIDE_TARGET)
def test_a_part_of_the_target_does_not_reach_past_its_place(part: str) -> None:
    home = OURS["target_crmdb"] / "target_crmdb"
    files = [home / f"{part}.py"] if (home / f"{part}.py").exists() else sorted((home / part).rglob("*.py"))
    assert files, f"the target has no {part}"
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in imports_of(path)
        if is_below(name, INSIDE_TARGET[part])
    ]
    assert wrong == []


def test_the_check_sees_an_import(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("from target_crmdb import sink\nimport fake_crm.wire\n", "utf-8")
    assert list(imports_of(file)) == ["target_crmdb.sink", "fake_crm.wire"]
