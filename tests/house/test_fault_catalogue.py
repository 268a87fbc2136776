"""Every fault of the catalogue that a plugin must stand is named by a test: in its name or its docstring.

D: data, T: the target and its database, N: network, A: access, S: the source. Each plugin has its share of them.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TESTS = Path(__file__).resolve().parents[1]


def numbered(kind: str, last: int) -> set[str]:
    return {f"{kind}{number:02}" for number in range(1, last + 1)}


DATA = {f"D{number:02}" for number in (1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 17)}
OF_A_TARGET = DATA | numbered("T", 21)
OF_A_TAP = numbered("N", 17) | numbered("A", 7) | numbered("S", 14)

# plugin → folders of its tests; what the taps share is tested once, with crmdb-core
FOLDERS: Mapping[str, tuple[str, ...]] = {
    "target_crmdb": ("target_crmdb",),
    "tap_csv_github": ("tap_csv_github", "crmdb_core"),
    "tap_hubspot": ("tap_hubspot", "crmdb_core"),
    "tap_salesforce": ("tap_salesforce", "crmdb_core"),
    "tap_pipedrive": ("tap_pipedrive", "crmdb_core"),
}

# plugin → fault → why it cannot happen to it
CANNOT_HAPPEN: Mapping[str, Mapping[str, str]] = {
    "tap_csv_github": {
        "S03": "a commit is read from git itself; there is no index that could be late",
        "S05": "nothing is searched: a tree is listed whole, or walked where it is cut",
        "S06": "as S05; rows are not asked for by time",
    },
    "tap_hubspot": {
        "A06": "a used-up quota is always a 429 with the limit's name; HubSpot's 403 is about scopes and bans only",
    },
}

# plugin → faults that its own folder must name, though crmdb-core's tests do too: there the whole tap stands them
ITS_OWN: Mapping[str, set[str]] = {
    "tap_csv_github": OF_A_TAP - {"N14", "S03", "S05", "S06"} | {"D15", "D16"},
    # TLS and the race for one token file know nothing of a CRM
    "tap_hubspot": OF_A_TAP - {"N14", "A04", "A06"},
    "tap_salesforce": OF_A_TAP - {"N14", "A04"},
    "tap_pipedrive": OF_A_TAP - {"N14", "A04"},
}


def ids_in(text: str) -> Iterator[str]:
    """The ids of a text; `D03-D06` is all from the one to the other."""
    for kind, first, last in re.findall(r"\b([ADNST])(\d\d)(?:-\1(\d\d))?\b", text):
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


def named_in(*folders: str) -> set[str]:
    files = [path for folder in folders for path in (TESTS / folder).rglob("test_*.py")]
    assert files
    return set[str]().union(*(ids_named(path.read_text("utf-8")) for path in files))


@pytest.mark.parametrize("plugin", FOLDERS)
def test_every_fault_has_a_test(plugin: str) -> None:
    wanted = OF_A_TARGET if plugin.startswith("target_") else OF_A_TAP
    assert set() == wanted - CANNOT_HAPPEN.get(plugin, {}).keys() - named_in(*FOLDERS[plugin])


@pytest.mark.parametrize("plugin", ITS_OWN)
def test_a_whole_plugin_stands_what_it_can_meet(plugin: str) -> None:
    assert set() == ITS_OWN[plugin] - named_in(plugin)


@pytest.mark.parametrize("plugin", FOLDERS)
def test_what_cannot_happen_has_a_reason_and_no_test(plugin: str) -> None:
    excused = CANNOT_HAPPEN.get(plugin, {})
    assert all(excused.values())
    assert set() == excused.keys() & named_in(plugin)


def test_every_plugin_with_a_folder_of_tests_is_listed() -> None:
    plugins = {path.name for path in TESTS.iterdir() if path.name.startswith(("tap_", "target_"))}
    assert plugins == FOLDERS.keys()


def test_the_check_reads_names_and_docstrings_of_tests_only() -> None:
    test = 'def test_t02_x() -> None:\n    """D03-D05, T20, N07-N08; 2026-01-01T07:00."""\n'
    source = f'"""T01."""\n{test}def other() -> None:\n    """T03, S01."""\n'
    assert {"T02", "D03", "D04", "D05", "T20", "N07", "N08"} == ids_named(source)
