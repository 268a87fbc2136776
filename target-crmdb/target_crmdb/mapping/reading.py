"""Mapping files and the setting `mapping`, read and checked: every fault is told at once, with line and suggestion."""

import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from target_crmdb.exceptions import ConfigError
from target_crmdb.mapping.canonical import Model
from target_crmdb.mapping.model_file import Entries, apply_model, read_model
from target_crmdb.mapping.placed import Faults, Item, overlaid, placed, read_yaml
from target_crmdb.mapping.source import SourceMapping, StreamMapping
from target_crmdb.mapping.stream_file import StreamReader
from target_crmdb.validation.fields import field_type

_ENTRIES = frozenset({"spread", "base_url", "country", "model", "streams"})
_EMPTY = Item({})


@lru_cache(maxsize=1)
def shipped_model() -> Model:
    """The canonical model as it is shipped."""
    faults = Faults()
    model = read_model(read_yaml(_file("model.yaml"), faults), faults)
    _raise(faults, "The shipped model")
    return model


@lru_cache(maxsize=16)
def load_mapping(source: str, own: str | None = None) -> SourceMapping:
    """Read the mapping that is shipped for a source, if there is one, and the user's own on top of it.

    `own` is a YAML file's path or JSON text. Raises ConfigError, with all faults.
    """
    faults = Faults()
    base = read_yaml(_file(f"{source}.yaml"), faults) if source in shipped_sources() else _EMPTY
    above, called = _EMPTY, ""
    if own:
        base = placed(base.plain())  # the lines that are told are those of the user's own file
        above, called = _own(own, faults)
    mapping = _mapping(source, base, above, faults)
    _raise(faults, called or f"The shipped mapping of {source}")
    return mapping


def mapping_of_tree(source: str, own: Any) -> SourceMapping:
    """Give the mapping of a source whose own part is known as plain values, as the database keeps it."""
    return load_mapping(source, json.dumps(own, sort_keys=True) if own else None)


def shipped_sources() -> frozenset[str]:
    """The sources that a mapping is shipped for."""
    names = (file.name for file in files("target_crmdb.mapping").iterdir())
    return frozenset(name.removesuffix(".yaml") for name in names if name.endswith(".yaml") and name != "model.yaml")


def shipped_text(source: str) -> str:
    """Give a shipped mapping as it is written."""
    return _file(f"{source}.yaml")


def _file(name: str) -> str:
    return (files("target_crmdb.mapping") / name).read_text(encoding="utf-8")


def _own(own: str, faults: Faults) -> tuple[Item, str]:
    """Read the user's part; give it, and what it is called in messages."""
    if own.lstrip().startswith("{"):
        try:
            return placed(json.loads(own)), "The setting mapping"
        except ValueError:
            raise ConfigError("The setting mapping is neither a path nor a JSON object; correct it") from None
    path = Path(own).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The mapping file {path} cannot be read ({error.strerror}); correct `mapping`") from error
    except UnicodeDecodeError:
        raise ConfigError(f"The mapping file {path} is not UTF-8; save it as such") from None
    return read_yaml(text, faults), f"The mapping file {path}"


def _mapping(source: str, base: Item, above: Item, faults: Faults) -> SourceMapping:
    top = Entries(above, "", faults, known=_ENTRIES)
    whole = overlaid(_without_replaced(base, above), above)
    model = apply_model(shipped_model(), whole.children.get("model", _EMPTY), faults)
    streams = Entries(whole.children.get("streams", _EMPTY), "streams", faults)
    reader = StreamReader(model, faults, _country(whole, faults))
    read: dict[str, StreamMapping] = {name: reader.read(name, item) for name, item in streams.items()}
    return SourceMapping(
        source=source,
        spread=Entries(whole, "", Faults()).text("spread"),
        base_url=Entries(whole, "", Faults()).text("base_url"),
        streams=read,
        model=model,
        own=above.plain() if top.items() else None,
    )


def _country(whole: Item, faults: Faults) -> str | None:
    """Read in which country telephone numbers are dialled, and postal codes and states are."""
    country = Entries(whole, "", faults).text("country")
    for kind in ("zip_code", "phone") if country is not None else ():
        try:
            field_type(kind, country=country)
        except ValueError as error:
            faults.add(whole.children["country"], "country", str(error))
            return None
    return country


def _without_replaced(base: Item, above: Item) -> Item:
    """Leave out the shipped paths of those canonical fields that the user maps to a path of his own."""
    streams = dict(base.children.get("streams", _EMPTY).children)
    for name, own in above.children.get("streams", _EMPTY).children.items():
        mine = _targets(own.children.get("fields", _EMPTY))
        if name not in streams or not mine:
            continue
        fields = streams[name].children.get("fields", _EMPTY).children
        kept = {path: item for path, item in fields.items() if not _names(item) <= mine}
        streams[name] = Item({**streams[name].children, "fields": Item(kept)}, streams[name].line)
    return Item({**base.children, "streams": Item(streams)}) if streams else base


def _targets(fields: Item) -> set[str]:
    return {name for item in fields.children.values() for name in _names(item)}


def _names(item: Item) -> set[str]:
    """Name the canonical fields that an entry of `fields` fills."""
    value = item.plain()
    several = value if isinstance(value, list) else [value]
    return {str(one.get("field") if isinstance(one, dict) else one) for one in several} - {"None"}


def _raise(faults: Faults, what: str) -> None:
    lines = list(faults.lines())
    if lines:
        number = "a fault" if len(lines) == 1 else f"{len(lines)} faults"
        raise ConfigError(f"{what} has {number}; nothing was loaded\n" + "\n".join(lines))
