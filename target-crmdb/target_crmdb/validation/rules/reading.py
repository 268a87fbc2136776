"""The canonical record as a staged row has it: what the view will show, for the few fields that a rule looks at."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import msgspec

from target_crmdb.mapping import ColumnType, TablePlan
from target_crmdb.mapping.normals import is_plain
from target_crmdb.mapping.paths import inside
from target_crmdb.mapping.source import FieldMapping, StreamMapping
from target_crmdb.mapping.wanted import form_of
from target_crmdb.validation.fields import COLUMN_TYPES
from target_crmdb.validation.fields.booleans import boolean_type
from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.values import CopyValue

_Read = Callable[[Sequence[CopyValue]], Any]
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_boolean = boolean_type()


@dataclass(frozen=True)
class FieldReader:
    """Reads one canonical field; `places` are those of the row that it looks at, and is all there is to a plain one."""

    read: _Read
    places: tuple[int, ...]
    is_plain: bool = False


def field_readers(plan: TablePlan, stream: StreamMapping, types: Mapping[str, str]) -> dict[str, FieldReader]:
    """Give a reader for each field of `types` (name: canonical type) that a row of the table can tell."""
    found = {}
    for name, kind in types.items():
        if (reader := _reader(plan, stream, name, kind)) is not None:
            found[name] = reader
    return found


def _reader(plan: TablePlan, stream: StreamMapping, name: str, kind: str) -> FieldReader | None:
    convert = _converter(kind)
    parts = [each for one in stream.fields if one.field == name for each in _parts(plan, one)]
    constant = dict(stream.constants).get(name)
    if not parts and constant is None:
        return None
    reads = [read for _, read in parts]

    def read(row: Sequence[CopyValue]) -> Any:
        for each in reads:
            value = each(row)
            if value is not None and value != "":
                return convert(value)
        return constant

    if len(parts) == 1 and kind in _TEXTS and constant is None and isinstance(reads[0], itemgetter):
        return FieldReader(reads[0], (parts[0][0],), is_plain=True)  # an empty text is as good as null to a rule
    return FieldReader(read, tuple(place for place, _ in parts))


def _parts(plan: TablePlan, one: FieldMapping) -> Iterator[tuple[int, _Read]]:
    """Yield where a mapped field stands in a row, and how it is read from there."""
    name, form = form_of(one)
    for at, normal in enumerate(plan.normals):
        if normal.wanted.signature == (one.path.text, form):
            place = len(plan.columns) + at
            yield place, _mapped(_at(place), one)
            return
    live = {column.path: at for at, column in enumerate(plan.columns) if not column.retired}
    path, steps = one.path.split(live)
    if path is None:
        return
    place = live[path]
    column = plan.columns[place].type
    if is_plain(name, column, steps):
        yield place, _mapped(_inside(place, steps) if column == ColumnType.JSONB else _at(place), one)


def _at(place: int) -> _Read:
    return itemgetter(place)


def _inside(place: int, steps: Collection[Any]) -> _Read:
    def read(row: Sequence[CopyValue]) -> Any:
        text = row[place]
        return None if text is None else inside(_decode(str(text)), steps)

    return read


def _mapped(read: _Read, one: FieldMapping) -> _Read:
    """Translate, sort out or multiply as the mapping says."""
    if one.values:
        known = dict(one.values)
        stays = all(isinstance(new, str) for new in known.values())

        def translated(row: Sequence[CopyValue]) -> Any:
            value = _text(read(row))
            return known.get(value, value if stays else None) if value is not None else None

        return translated
    if one.prefixes:
        prefixes = one.prefixes
        return lambda row: value if (value := _text(read(row))) is not None and value.startswith(prefixes) else None
    if one.factor is not None:
        factor = Decimal(one.factor)
        return lambda row: None if (value := read(row)) is None else Decimal(str(value)) * factor
    return read


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _converter(kind: str) -> Callable[[Any], Any]:
    column = COLUMN_TYPES[kind]
    return _CONVERTERS.get(column, _as_it_is)


_TEXTS = frozenset(name for name, column in COLUMN_TYPES.items() if column == ColumnType.TEXT)


def _as_it_is(value: Any) -> Any:
    return value


def _to_datetime(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value).replace(" +", "+").replace(" -", "-").replace("z", "Z"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_date(value: Any) -> date:
    text = str(value)
    return date.fromisoformat(text) if len(text) == len("2026-01-01") else _to_datetime(text).astimezone(UTC).date()


def _to_boolean(value: Any) -> bool | None:
    try:
        return bool(_boolean(value))
    except FieldError:
        return None


_CONVERTERS: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.NUMERIC: lambda value: Decimal(str(value)),
    ColumnType.BIGINT: lambda value: Decimal(str(value)),
    ColumnType.BOOLEAN: _to_boolean,
    ColumnType.DATE: _to_date,
    ColumnType.TIMESTAMPTZ: _to_datetime,
}
