"""Files and settings as trees whose every value knows where it was written, and what is wrong with them."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Item:
    """A value: a scalar, a list of items, or a mapping from text to items; `line` is None where no file has it."""

    value: Any
    line: int | None = None

    @property
    def children(self) -> Mapping[str, "Item"]:
        """The entries of a mapping; none, if it is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def plain(self) -> Any:
        """Give the value without places."""
        if isinstance(self.value, dict):
            return {name: item.plain() for name, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


class Faults:
    """Collects all that is wrong, so that it can be told at once."""

    def __init__(self) -> None:
        self._found: list[tuple[int | None, str]] = []

    def add(self, item: Item | int | None, place: str, text: str) -> None:
        """Note a fault; `place` is the path in the file."""
        line = item.line if isinstance(item, Item) else item
        self._found.append((line, f"{place}: {text}" if place else text))

    def __bool__(self) -> bool:
        return bool(self._found)

    def lines(self) -> Iterator[str]:
        """Yield them in the order of the file."""
        for line, text in sorted(self._found, key=lambda one: one[0] or 0):
            yield f"line {line}: {text}" if line else text


def suggestion(wrong: str, known: Collection[str]) -> str:
    """Say which known word may be meant, or which there are."""
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are: {', '.join(sorted(known))}"


def read_yaml(text: str, faults: Faults) -> Item:
    """Read a YAML file; keys are taken as the texts they are, so `001` stays three digits."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return Item({}) if node is None else _item(loader, node, "", faults)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        faults.add(line, "", f"is not YAML: {error.problem}")
    except yaml.YAMLError:
        faults.add(None, "", "is not YAML")
    finally:
        loader.dispose()
    return Item({})


def _item(loader: Any, node: Any, place: str, faults: Faults) -> Item:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Item(_entries(loader, node, place, faults), line)
    if isinstance(node, yaml.SequenceNode):
        return Item([_item(loader, one, f"{place}[{at}]", faults) for at, one in enumerate(node.value)], line)
    return Item(loader.construct_object(node), line)


def _entries(loader: Any, node: Any, place: str, faults: Faults) -> dict[str, Item]:
    entries: dict[str, Item] = {}
    for key, value in node.value:
        name = str(key.value)
        inner = f"{place}.{name}" if place else name
        if name in entries:
            faults.add(key.start_mark.line + 1, inner, "stands here a second time; write one entry")
        entries[name] = _item(loader, value, inner, faults)
    return entries


def placed(value: Any) -> Item:
    """Make a tree of a setting's value."""
    if isinstance(value, Mapping):
        return Item({str(name): placed(one) for name, one in value.items()})
    if isinstance(value, list | tuple):
        return Item([placed(one) for one in value])
    return Item(value)


def overlaid(base: Item, above: Item) -> Item:
    """Lay a tree over another one: mappings entry by entry, null takes an entry away, anything else replaces."""
    if not isinstance(base.value, dict) or not isinstance(above.value, dict):
        return above
    merged = dict(base.value)
    for name, item in above.value.items():
        if item.value is None:
            merged.pop(name, None)
        else:
            merged[name] = overlaid(merged[name], item) if name in merged else item
    return Item(merged, above.line)
