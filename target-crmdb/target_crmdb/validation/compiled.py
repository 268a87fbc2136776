"""Records of simple SCHEMAs from JSON text to rows, many at a time, in C; what it does not accept goes the exact way.

It only ever says yes: a record that is accepted here is valid and gives the very row that the exact way
(schema.py, encoder.py) gives. Anything unusual - a field too few or too many, a value of another type, a date of an
odd form, a keyword that is not known here - is left to that way, which then finds what is wrong, if anything is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, takewhile
from operator import itemgetter
from typing import Annotated, Any, Literal, Protocol

import msgspec

from target_crmdb.mapping import ColumnType, Path, TablePlan
from target_crmdb.validation.values import CopyValue, to_json

Row = tuple[CopyValue, ...]
NotAccepted = (msgspec.MsgspecError, ValueError)
"""What the decoder raises for a record that must go the exact way."""

_INT4 = (-(2**31), 2**31 - 1)
_INT8 = (-(2**63), 2**63 - 1)
# keywords that say nothing about which values are valid
_SILENT = frozenset({
    "$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "readOnly", "secret", "title",
    "writeOnly",
})  # fmt: skip
_OF_A_TEXT = frozenset({"type", "format", "enum", "minLength", "maxLength"})
_OF_A_NUMBER = frozenset({"type", "minimum", "maximum"})
_OF_A_RECORD = frozenset({"type", "properties", "required", "additionalProperties"})
_MOMENTS = {ColumnType.TIMESTAMPTZ: datetime, ColumnType.DATE: date}
_FORMS = {
    ColumnType.TIME: re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?", re.ASCII),
    ColumnType.UUID: re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII),
}
_TEXTS = frozenset({ColumnType.TEXT, *_MOMENTS, *_FORMS})

_Pick = Callable[[tuple[Any, ...]], tuple[Any, ...]]
_Rows = Sequence[tuple[Any, ...]]
_Check = Callable[[_Rows], bool]
"""Whether all of some rows are of the common form; raises one of `NotAccepted` if not, or says no."""


class Number(str):
    """The digits of a JSON number with a point or an exponent, as they came; cheaper than a Decimal, and as exact."""

    __slots__ = ()


class Message(Protocol):
    """A RECORD message of the stream, decoded."""

    record: msgspec.Struct
    version: int | None
    time_extracted: str | None


class CompiledRecords:
    """The records of one plan, as the SCHEMA declares them."""

    def __init__(
        self,
        record: type[msgspec.Struct],
        stream: str,
        *,
        inner: int | None,
        checks: Sequence[_Check],
        json: Sequence[int],
    ) -> None:
        # numbers within objects are written as JSON again, which takes Decimals for numbers
        hook = Decimal if json else Number
        self._decode = msgspec.json.Decoder(record, float_hook=hook).decode
        self._decode_line = msgspec.json.Decoder(_message(record, stream), float_hook=hook).decode
        self._inner = inner
        self._checks = tuple(checks)
        self._json = json

    def messages(self, lines: Sequence[bytes]) -> list[Message]:
        """Read lines as RECORDs of this stream and of one version, up to the first that is none.

        Lone surrogates are not accepted; a NUL is not seen, but where JSON is written again, which would hide it from
        those who write the row.
        """
        found: list[Message] = []
        add, decode, hides_nul = found.append, self._decode_line, bool(self._json)
        try:
            for line in lines:
                if hides_nul and b"\\u0000" in line:
                    break
                add(decode(line))
        except NotAccepted:
            pass
        if len({one.version for one in found}) > 1:
            return [*takewhile(lambda one: one.version == found[0].version, found)]
        return found

    def record(self, raw: msgspec.Raw) -> msgspec.Struct:
        """Read a record, or raise one of `NotAccepted`."""
        return self._decode(raw)

    def rows(self, records: Sequence[msgspec.Struct]) -> tuple[list[Row], set[int]]:
        """Give the rows of records, and the numbers of those that must go the exact way: their rows mean nothing."""
        odd: set[int] = set()
        rows: list[Row] = [msgspec.structs.astuple(record) for record in records]
        if self._inner is not None:
            rows = [self._spread(row, self._inner, number, odd) for number, row in enumerate(rows)]
        for check in self._checks:
            if not _passes(check, rows):
                odd.update(number for number, row in enumerate(rows) if not _passes(check, [row]))
        if self._json:
            rows = [self._with_json(row, number, odd) for number, row in enumerate(rows)]
        return rows, odd

    @staticmethod
    def _spread(row: tuple[Any, ...], width: int, number: int, odd: set[int]) -> Row:
        """Put the fields of the object at its end in its place; the exact way knows what a null one means."""
        if row[-1] is None:
            odd.add(number)
            return (*row[:-1], *[None] * width)
        return row[:-1] + msgspec.structs.astuple(row[-1])

    def _with_json(self, row: tuple[Any, ...], number: int, odd: set[int]) -> Row:
        values = list(row)
        try:
            for place in self._json:
                if values[place] is not None:
                    values[place] = to_json(values[place])
        except ValueError:
            odd.add(number)
        return tuple(values)


def _passes(check: _Check, rows: _Rows) -> bool:
    try:
        return check(rows)
    except NotAccepted:
        return False


def _message(record: type[msgspec.Struct], stream: str) -> Any:
    """Define the type of a RECORD message of this stream."""
    return msgspec.defstruct(
        "Message",
        [
            ("type", Literal["RECORD"]),
            ("stream", Literal[stream]),
            ("record", record),
            ("version", int | None, None),
            ("time_extracted", str | None, None),
        ],
        gc=False,
    )


def compile_records(schema: Mapping[str, Any], plan: TablePlan) -> CompiledRecords | None:
    """Compile the records of a plan; None where the SCHEMA says more than this module knows."""
    places = {column.path: place for place, column in enumerate(plan.columns)}
    ordered = sorted(places, key=lambda path: (len(path), places[path]))
    if plan.drifts or [*places] != ordered or not _is_simple_record(schema):
        return None
    properties = dict(schema["properties"])
    parent = properties.pop(plan.spread, None) if plan.spread else None
    outer = _fields(properties, plan, ())
    inner = None
    if parent is not None:
        if not _is_simple_record(parent):
            return None
        inner = _fields(parent["properties"], plan, (str(plan.spread),))
    if outer is None or (parent is not None and inner is None):
        return None
    try:
        record = _struct(outer, inner, plan.spread)
    except (ValueError, TypeError):  # a name that msgspec does not take
        return None
    kinds = [column.type for column in plan.columns]
    declared: dict[Path, Any] = {(name,): one for name, one in properties.items()}
    declared |= {(str(plan.spread), name): one for name, one in (parent or {}).get("properties", {}).items()}
    nullable = ["null" in _names(declared[column.path]) for column in plan.columns]
    json = [place for place, kind in enumerate(kinds) if kind == ColumnType.JSONB]
    return CompiledRecords(
        record, plan.stream, inner=None if inner is None else len(inner), checks=_checks(kinds, nullable), json=json
    )


def _is_simple_record(schema: Mapping[str, Any]) -> bool:
    return (
        _says_only(schema, _OF_A_RECORD)
        and set(_names(schema)) <= {"object", "null"}
        and isinstance(schema.get("properties"), dict)
        and isinstance(schema.get("additionalProperties", True), bool)
        and schema["properties"].keys() >= set(schema.get("required", ()))
    )


def _fields(properties: Mapping[str, Any], plan: TablePlan, parent: tuple[str, ...]) -> list[tuple[str, Any]] | None:
    """Give name and type of each field in the plan's order; None if one of them has no column or is not simple."""
    fields = []
    for column in plan.columns:
        if column.path[:-1] == parent:
            schema = properties.get(column.path[-1])
            kind = None if schema is None else _type_of(schema, column.type)
            if kind is None:
                return None
            fields.append((column.path[-1], kind))
    return fields if len(fields) == len(properties) else None


def _struct(
    outer: Sequence[tuple[str, Any]], inner: Sequence[tuple[str, Any]] | None, spread: str | None
) -> type[msgspec.Struct]:
    fields = list(outer)
    if inner is not None:
        fields.append((str(spread), _defined(inner) | None))
    return _defined(fields)


def _defined(fields: Sequence[tuple[str, Any]]) -> type[msgspec.Struct]:
    """Define a type whose fields have neutral names, since those of the JSON may be anything."""
    names = {f"f{number}": name for number, (name, _) in enumerate(fields)}
    return msgspec.defstruct(
        "Record",
        [(f"f{number}", kind) for number, (_, kind) in enumerate(fields)],
        rename=names,
        forbid_unknown_fields=True,
        gc=False,
    )


def _type_of(schema: Mapping[str, Any], column: ColumnType) -> Any | None:
    names = _names(schema)
    kinds = [name for name in names if name != "null"]
    if len(kinds) != 1:
        return None
    kind = _plain_type(kinds[0], schema, column)
    # `object` takes null as it is
    return kind | None if kind not in {None, object} and "null" in names else kind


def _plain_type(name: str, schema: Mapping[str, Any], column: ColumnType) -> Any | None:
    if name == "string" and column in _TEXTS and _says_only(schema, _OF_A_TEXT):
        return _text_type(schema)
    if name == "integer" and _says_only(schema, _OF_A_NUMBER):
        return _integer_type(schema, column)
    if name == "number" and column == ColumnType.NUMERIC and _says_only(schema, {"type"}):
        return object  # decoded by `float_hook`; that it is a number is checked on the row
    if name == "boolean" and column == ColumnType.BOOLEAN and _says_only(schema, {"type"}):
        return bool
    if name in {"object", "array"} and column == ColumnType.JSONB and _says_only(schema, {"type"}):
        return dict if name == "object" else list
    return None


def _text_type(schema: Mapping[str, Any]) -> Any | None:
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        plain = all(isinstance(value, str) for value in values) and not {"minLength", "maxLength"} & schema.keys()
        # null must be allowed by both the type and the list, or by neither
        agrees = (None in schema["enum"]) == ("null" in _names(schema))
        return Literal[tuple(values)] if values and plain and agrees else None
    limits = {
        ours: schema[theirs]
        for theirs, ours in (("minLength", "min_length"), ("maxLength", "max_length"))
        if theirs in schema
    }
    if not all(type(limit) is int and limit >= 0 for limit in limits.values()):
        return None
    return Annotated[str, msgspec.Meta(**limits)] if limits else str


def _integer_type(schema: Mapping[str, Any], column: ColumnType) -> Any | None:
    bounds = {"bigint": _INT8, "integer": _INT4}.get(column.value)
    if bounds is None:
        return None
    low, high = schema.get("minimum", bounds[0]), schema.get("maximum", bounds[1])
    if type(low) is not int or type(high) is not int:
        return None
    return Annotated[int, msgspec.Meta(ge=max(low, bounds[0]), le=min(high, bounds[1]))]


def _checks(kinds: Sequence[ColumnType], nullable: Sequence[bool]) -> list[_Check]:
    """What the types cannot say: dates that exist, and numbers that are numbers."""
    checks: list[_Check] = []
    moments = [(place, found) for place, kind in enumerate(kinds) if (found := _MOMENTS.get(kind))]
    if moments:
        form = msgspec.defstruct(
            "Moments", [(f"f{n}", found | None) for n, (_, found) in enumerate(moments)], array_like=True, gc=False
        )
        checks.append(_of_moments(_picker([place for place, _ in moments]), list[form]))  # type: ignore[valid-type]
    for place, kind in enumerate(kinds):
        if kind in _FORMS:
            checks.append(_of_form(place, _FORMS[kind].fullmatch))
    for with_null in (True, False):
        places = [p for p, kind in enumerate(kinds) if kind == ColumnType.NUMERIC and nullable[p] == with_null]
        if places:
            numbers = frozenset[type]({int, Decimal, Number})
            checks.append(_of_types(_picker(places), numbers | {type(None)} if with_null else numbers))
    return checks


def _of_moments(pick: _Pick, forms: Any) -> _Check:
    return lambda rows: msgspec.convert([*map(pick, rows)], forms) is not None


def _of_form(place: int, match: Callable[[str], object]) -> _Check:
    return lambda rows: all(row[place] is None or match(row[place]) is not None for row in rows)


def _of_types(pick: _Pick, allowed: frozenset[type]) -> _Check:
    return lambda rows: allowed.issuperset(map(type, chain.from_iterable(map(pick, rows))))


def _picker(places: list[int]) -> _Pick:
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places)


def _names(schema: Mapping[str, Any]) -> list[str]:
    declared = schema.get("type", ())
    return [declared] if isinstance(declared, str) else list(declared)


def _says_only(schema: Mapping[str, Any], known: frozenset[str] | set[str]) -> bool:
    return schema.keys() <= known | _SILENT
