"""A start imports little, and what it left out is there when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from crmdb_core.lean_imports import lean_imports

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "crmdb_example"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a submodule, which nobody has imported yet."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "class Base:\n    word = 'base'\n\n\ndef double(number):\n    return 2 * number\n"
    )
    (folder / "part.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in (PACKAGE, f"{PACKAGE}.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return PACKAGE


def importing(text: str) -> dict[str, object]:
    """Run what a module does that is imported within the block."""
    names: dict[str, object] = {}
    with lean_imports(PACKAGE):
        exec(text, names)
    return names


def is_imported(name: str) -> bool:
    return getattr(sys.modules.get(name), "__file__", None) is not None


def test_a_package_is_imported_when_it_is_used(package: str) -> None:
    names = importing(f"import {package}\ndef use(): return {package}.double(2)")
    assert not is_imported(package)
    assert names["use"]() == 4  # type: ignore[operator]
    assert is_imported(package)


def test_a_name_of_a_package_is_imported_when_it_is_used(package: str) -> None:
    names = importing(f"from {package} import Base, double\ndef use(): return double(2), isinstance(Base(), Base)")
    assert not is_imported(package)
    assert names["use"]() == (4, True)  # type: ignore[operator]


def test_a_submodule_is_imported_when_it_is_used(package: str) -> None:
    names = importing(f"import {package}.part\ndef use(): return {package}.part.answer")
    assert not is_imported(f"{package}.part")
    assert names["use"]() == 42  # type: ignore[operator]


@pytest.mark.parametrize("base", ["from {0} import Base", "import {0}\nBase = {0}.Base"])
def test_what_is_needed_at_once_is_imported_at_once(package: str, base: str) -> None:
    names = importing(f"{base.format(package)}\nclass Derived(Base): pass\nword = Derived.word")
    assert names["word"] == "base"


def test_an_import_behind_the_block_is_a_real_one(package: str) -> None:
    importing(f"import {package}.part")
    assert package not in sys.modules
    real = importlib.import_module(package)
    assert real.double(2) == 4
    assert not [finder for finder in sys.meta_path if type(finder).__module__ == lean_imports.__module__]


def test_a_package_that_is_there_already_stays(package: str) -> None:
    real = importlib.import_module(package)
    assert importing(f"import {package}")[package] is real
    assert sys.modules[package] is real
