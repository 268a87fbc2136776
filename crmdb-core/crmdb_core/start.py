"""How the console script of every plugin begins: nine tenths of a start are imports, most of them the SDK's."""

import gc
import importlib
from typing import NoReturn

from crmdb_core.lean_imports import lean_imports

__all__ = ["start"]

# for repeated calls, process pools, JSON paths, versions, remote files and YAML; the SDK imports them all
_RARELY_NEEDED = ("backoff", "joblib", "jsonpath_ng", "packaging", "upath", "yaml")


def start(plugin: str, *, rarely_needed: tuple[str, ...] = ()) -> NoReturn:
    """Import a plugin's class, like `tap_example.tap:TapExample`, run its command line, and exit with an honest code.

    Packages that are `rarely_needed` are imported when something of them is used.
    """
    module, _, name = plugin.partition(":")
    gc.disable()  # nothing of what an import makes is garbage, and looking for some takes a tenth of it
    with lean_imports(*_RARELY_NEEDED, *rarely_needed):
        exits = importlib.import_module("crmdb_core.exits")
        of_plugin = getattr(importlib.import_module(module), name)
    gc.freeze()
    gc.set_threshold(100_000)  # rows come by thousands, and none of them refers to itself
    gc.enable()
    exits.run(of_plugin.cli, name=of_plugin.name)
    raise AssertionError  # it has exited
