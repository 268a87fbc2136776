"""Imports that wait until they are needed: the SDK brings what taps and remote files need, a third of a start."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from typing_extensions import override


@contextmanager
def lean_imports(*packages: str) -> Iterator[None]:
    """Within the block, an import of one of these packages gives a stand-in, which imports it when it is used.

    What is used by the modules that are imported in the block, a base class for instance, is imported there and then.
    Whoever imports a package behind the block gets the real one.
    """
    postponed = _Postponed({*packages} - sys.modules.keys())
    sys.meta_path.insert(0, postponed)
    try:
        yield
    finally:
        sys.meta_path.remove(postponed)
        postponed.end()


class _Postponed(MetaPathFinder, Loader):
    """Finds a stand-in for each module of some packages."""

    def __init__(self, packages: set[str]) -> None:
        self._packages = packages
        self._stand_ins: list[str] = []

    @override
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Claim the modules of the packages."""
        return ModuleSpec(fullname, self, is_package=True) if self.covers(fullname) else None

    @override
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the stand-in."""
        self._stand_ins.append(spec.name)
        return _StandIn(spec.name, self)

    @override
    def exec_module(self, module: ModuleType) -> None:
        """Nothing is to be done before it is used."""

    def covers(self, name: str) -> bool:
        """Tell whether a module is still postponed."""
        return name.partition(".")[0] in self._packages

    def end(self) -> None:
        """Postpone nothing more: the next import of each package is a real one."""
        self._packages.clear()
        while self._stand_ins:
            sys.modules.pop(self._stand_ins.pop(), None)

    def attribute(self, module: str, name: str) -> Any:
        """Import a module after all, and give what is asked of it."""
        package = module.partition(".")[0]
        if package in self._packages:
            self._packages.remove(package)
            for stand_in in [name for name in self._stand_ins if name.partition(".")[0] == package]:
                self._stand_ins.remove(stand_in)
                del sys.modules[stand_in]
        return getattr(importlib.import_module(module), name)


class _StandIn(ModuleType):
    """A module that was not imported yet."""

    def __init__(self, name: str, postponed: _Postponed) -> None:
        super().__init__(name)
        self._postponed = postponed

    @override
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks
            raise AttributeError(name)
        if self._postponed.covers(self.__name__):  # `from module import name`
            return _Name(self.__name__, name, self._postponed)
        return self._postponed.attribute(self.__name__, name)


class _Name:
    """A class or function of a module that was not imported yet."""

    def __init__(self, module: str, name: str, postponed: _Postponed) -> None:
        self._module = module
        self._name = name
        self._postponed = postponed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __mro_entries__(self, _: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._real())

    def _real(self) -> Any:
        return self._postponed.attribute(self._module, self._name)
