"""Rows as the JSON of REST: nested parents, children, links for blobs, numbers as Java writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.fields import COMPOUNDS
from fake_crm.salesforce.soql.paths import own_getter, parent
from fake_crm.salesforce.soql.running import picked
from fake_crm.salesforce.texts import RowTexts
from fake_crm.salesforce.values import rest_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.soql.binding import Children, Plan
    from fake_crm.salesforce.soql.paths import Found
    from fake_crm.salesforce.values import Row

    Writer = Callable[[Row], str]

_PLAIN_UNTIL, _PLAIN_FROM = 7, -3  # powers of ten between which Java writes a double without an exponent
_EXACT_DIGITS = 15


def number_text(value: Decimal | int) -> str:
    """A decimal as REST writes it, like a Java double: 15000.0, 3.5E8; longer ones stay exact (unverified)."""
    number = Decimal(value)
    digits = "".join(map(str, number.normalize().as_tuple().digits))
    if not number:
        return "0.0"
    if len(digits) > _EXACT_DIGITS or _PLAIN_FROM <= number.adjusted() < _PLAIN_UNTIL:
        text = format(number.normalize(), "f")
        return text if "." in text else f"{text}.0"
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def json_value(kind: Field, value: Any) -> str:
    """A value as REST's JSON."""
    return "null" if value is None else _WRITERS.get(kind.type, encode_basestring)(value)


def _structure(value: Any) -> str:
    return json.dumps(value, default=_loose, ensure_ascii=False, separators=(",", ":"))


def _loose(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "datetime": lambda value: f'"{rest_stamp(value)}"',
    "boolean": lambda value: "true" if value else "false",
    **dict.fromkeys(("double", "currency", "percent"), number_text),
    **dict.fromkeys(("int", "long"), str),
    **dict.fromkeys(("address", "location", "json", "anyType", "complexvalue"), _structure),
}


@dataclass
class _Nested:
    """Columns that share a parent, in order of their first mention."""

    own: dict[str, Field] = field(default_factory=dict)
    parents: dict[str, tuple[Field, _Nested]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def add(self, steps: tuple[Field, ...], last: Field) -> None:
        if not steps:
            self.own[last.name] = last
            self.order.append(last.name)
            return
        name = steps[0].relationship or ""
        if name not in self.parents:
            self.parents[name] = (steps[0], _Nested())
            self.order.append(name)
        self.parents[name][1].add(steps[1:], last)


class Renderer:
    """Makes rows JSON; keeps the text of plain rows, for as long as they are what they were."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.texts = RowTexts()

    def rows(self, plan: Plan, rows: Iterable[Row], root: str, *, everything: bool) -> Iterable[str]:
        """The JSON of rows, one by one; `root` is the path of the version."""
        writer = self._writer(plan, root, everything=everything)
        flat = not plan.children and all(not found.steps for found in plan.columns)
        if not flat or self._org.table(plan.kind.name).streams:
            return map(writer, rows)
        way = ("json", plan.kind.name, root, *((found.field.name, found.field.type) for found in plan.columns))
        return self.texts.of(way, rows, writer)

    def _writer(self, plan: Plan, root: str, *, everything: bool) -> Writer:
        nested = _Nested()
        for found in plan.columns:
            nested.add(found.steps, found.field)
        parts = self._parts(nested, root, plan.columns)
        parts += [self._children(each, root, everything=everything) for each in plan.children]
        name = plan.kind.name
        start = f'{{"attributes":{{"type":"{name}","url":"{root}/sobjects/{name}/'

        def write(row: Row) -> str:
            return f'{start}{row["Id"]}"}},{",".join([part(row) for part in parts])}}}'

        return write

    def _parts(self, nested: _Nested, root: str, columns: tuple[Found, ...]) -> list[Writer]:
        kind = columns[0].kind.name if columns else ""
        return [
            _scalar(nested.own[name], f"{root}/sobjects/{kind}")
            if name in nested.own
            else self._parent(name, *nested.parents[name], root)
            for name in nested.order
        ]

    def _parent(self, name: str, step: Field, nested: _Nested, root: str) -> Writer:
        parts = [
            _scalar(nested.own[each], f"{root}/sobjects/{step.reference_to[0]}")
            if each in nested.own
            else self._parent(each, *nested.parents[each], root)
            for each in nested.order
        ]

        def write(row: Row) -> str:
            found = parent(self._org, step, row)
            if found is None:
                return f'"{name}":null'
            key = str(found["Id"])
            kind = self._org.schema.of_id(key)
            shown = kind.name if kind else step.reference_to[0]
            head = f'"attributes":{{"type":"{shown}","url":"{root}/sobjects/{shown}/{key}"}}'
            return f'"{name}":{{{head},{",".join(part(found) for part in parts)}}}'

        return write

    def _children(self, children: Children, root: str, *, everything: bool) -> Writer:
        writer = self._writer(children.plan, root, everything=everything)
        name = children.field.name

        def write(row: Row) -> str:
            key = row["Id"]
            found = picked(self._org, children.plan, everything=everything, more=lambda child: child.get(name) == key)
            if not len(found):
                return f'"{children.name}":null'
            rows = ",".join(map(writer, found))
            return f'"{children.name}":{{"totalSize":{len(found)},"done":true,"records":[{rows}]}}'

        return write


def _scalar(kind: Field, path: str) -> Writer:
    head = f'"{kind.name}":'
    name = kind.name
    if kind.type == "base64":
        return lambda row: f'{head}"{path}/{row["Id"]}/{name}"' if row.get(name) is not None else f"{head}null"
    if kind.type in COMPOUNDS:
        value = own_getter(kind)
        return lambda row: head + json_value(kind, value(row))
    if kind.type in _TEXT_LIKE:
        return lambda row: head + ("null" if (held := row.get(name)) is None else encode_basestring(held))  # type: ignore[arg-type] # text by its type
    return lambda row: head + json_value(kind, row.get(name))


_TEXT_LIKE = frozenset({"id", "string", "picklist", "reference", "textarea", "phone", "url", "email", "date", "time"})
