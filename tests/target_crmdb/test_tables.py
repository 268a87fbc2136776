"""Tables follow the SCHEMA: names that stay, new columns, wider types, `_extra`; nothing is dropped or guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import CrmdbError

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Singer


def types(load: Loader, table: str = "contacts") -> dict[str, str]:
    """The table's columns and their types."""
    return dict(
        load.database.query(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'crm_test' AND table_name = %s",
            table,
        )
    )


def test_columns_are_typed_by_the_schema_alone(load: Loader, singer: Singer) -> None:
    load(
        singer.schema(
            {
                "n": singer.number,
                "i": singer.integer,
                "b": {"type": "boolean"},
                "d": {"type": "string", "format": "date"},
                "t": {"type": "string", "format": "time"},
                "o": {"type": "object"},
                "a": {"type": ["array", "null"]},
                "u": {"type": ["string", "integer"]},
                "e": {"enum": ["x", None]},
                "email": {"type": "string", "format": "email"},
            }
        )
    )
    assert {
        "id": "text",
        "at": "timestamp with time zone",
        "n": "numeric",
        "i": "bigint",
        "b": "boolean",
        "d": "date",
        "t": "time without time zone",
        "o": "jsonb",
        "a": "jsonb",
        "u": "jsonb",
        "e": "text",
        "email": "text",
        "_sdc_deleted_at": "timestamp with time zone",
        "_extra": "jsonb",
    } == types(load)


def test_the_mapping_of_hubspot_spreads_properties(load: Loader, singer: Singer) -> None:
    inner = {"email": singer.text, "id": singer.text, "createdAt": singer.instant}
    load(
        singer.schema({"properties": {"type": "object", "properties": inner}, "createdAt": singer.instant}),
        singer.record({"id": "1", "properties": {"email": "a@b", "id": "inner", "undeclared": 5}, "more": [1]}),
        source="hubspot",
    )
    assert [("1", "a@b", "inner", None, {"properties.undeclared": 5, "more": [1]})] == load.table(
        "id, email, properties_id, properties_created_at, _extra"
    )


def test_a_tombstone_without_its_properties_keeps_them(load: Loader, singer: Singer) -> None:
    schema = singer.schema(
        {"properties": {"type": "object", "properties": {"email": singer.text}}, "_sdc_deleted_at": singer.instant}
    )
    load(schema, singer.record({"id": "1", "properties": {"email": "kept"}}), source="hubspot")
    load(schema, singer.record({"id": "1", "_sdc_deleted_at": "2026-01-01T00:00:00Z"}), source="hubspot")
    assert [("1", "kept", True)] == load.table("id, email, _sdc_deleted_at IS NOT NULL")


def test_a_source_without_a_mapping_spreads_nothing(load: Loader, singer: Singer) -> None:
    load(singer.schema({"properties": {"type": "object", "properties": {"email": singer.text}}}))
    assert "jsonb" == types(load)["properties"]


def test_a_grown_schema_adds_columns(load: Loader, singer: Singer) -> None:
    load(singer.schema({"a": singer.text}), singer.record({"id": "1", "a": "x"}))
    load(singer.schema({"a": singer.text, "b": singer.integer}), singer.record({"id": "2", "b": 5}))
    assert [("1", "x", None), ("2", None, 5)] == load.table("id, a, b")
    assert [("create table", None), ("add column", "b")] == load.database.query(
        "SELECT change, column_name FROM _crmdb.schema_log ORDER BY change_id"
    )


def test_a_shrunk_schema_keeps_the_column_and_its_values(load: Loader, singer: Singer) -> None:
    load(singer.schema({"a": singer.text}), singer.record({"id": "1", "a": "x"}))
    load(singer.schema(), singer.record({"id": "1", "at": "2026-01-01T00:00:00Z"}))
    assert [("1", "x", 2026)] == load.table("id, a, extract(year from at)::int")


def test_more_fields_than_columns_go_losslessly_into_extra(load: Loader, singer: Singer) -> None:
    """D13: 450 columns; the key and the bookmark have columns wherever they stand."""
    properties = {f"p{n}": singer.integer for n in range(450)}
    schema = singer.schema()
    schema["schema"]["properties"] = {**properties, **schema["schema"]["properties"]}
    load(schema, singer.record({"id": "1", "at": None, **{f"p{n}": n for n in range(450)}}))
    columns = types(load)
    assert 400 == len(columns)
    assert {"id", "at"} <= set(columns)
    names = [name for name in columns if name.startswith("p")]
    assert [("1", {f"p{n}": n for n in range(450) if f"p{n}" not in names})] == load.table("id, _extra")
    assert [tuple(int(name[1:]) for name in names)] == load.table(", ".join(names))


WIDE = 700
LENGTHS = {str(length): [length] * WIDE for length in range(20, 25)} | {
    "mixed": [20 + number * 37 % 181 for number in range(WIDE)]
}


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_a_row_of_700_filled_properties_lands_whole(load: Loader, singer: Singer, lengths: list[int]) -> None:
    """D13: created and updated, of one to four bytes a character; Postgres limits a row to 8,160 bytes."""
    for run in range(2):
        record = {f"p{n}": _text(n + run, length) for n, length in enumerate(lengths)}
        load(singer.schema(dict.fromkeys(record, singer.text)), singer.record({"id": "1", **record}))
        assert {"seen": 1, ("updated" if run else "created"): 1} == load.outcomes()
        ((row, extra),) = load.table("to_jsonb(contacts) - '_extra', _extra")
        assert record == {name: value for name, value in (row | extra).items() if name in record}
        assert WIDE == len(row.keys() & record) + len(extra)
        assert len(row.keys() & record) > 300


def _text(number: int, length: int) -> str:
    """A text of so many bytes, or above 24 of so many characters, of one to four bytes each."""
    letter = "xé漢😀"[number % 4]
    body = letter * (length - 1 if length > 24 else (length - 1) // len(letter.encode()))
    return chr(97 + number % 26) + body + "x" * (length - 1 - len(body.encode()))


def test_a_row_of_values_just_short_enough_to_stay_in_it(load: Loader, singer: Singer) -> None:
    """The worst case: 23 bytes and their header are 24, which Postgres does not move out; all kinds side by side."""
    kinds = [singer.text, singer.instant, {"type": "boolean"}, singer.number, {"type": "object"}]
    values: list[Any] = ["x" * 23, "2026-01-01T00:00:00Z", True, int("9" * 36), {"a": "x" * 14}]
    names = [f"p{n}" for n in range(500)]
    load(
        singer.schema({name: kinds[n % 5] for n, name in enumerate(names)}),
        singer.record({"id": "1" * 23, **{name: values[n % 5] for n, name in enumerate(names)}}),
        add_record_metadata=True,
    )
    assert {"seen": 1, "created": 1} == load.outcomes()


def test_extra_fields_are_kept_one_by_one(load: Loader, singer: Singer) -> None:
    load(singer.schema(), singer.record({"id": "1", "a": 1, "b": 2}))
    load(singer.schema(), singer.record({"id": "1", "b": None, "c": 3}))
    load(singer.schema(), singer.record({"id": "1"}))
    assert [("1", {"a": 1, "b": None, "c": 3})] == load.table("id, _extra")


ODD = [
    "Email", "email", "e-mail", "a b", "100%", 'q"q', "c:d", "p(x)", "select", "1st", "", " ", "_", "_extra", "ctid",
    "n", "absent", "s", "t", "x" * 80 + "1", "x" * 80 + "2", "имя", "é" * 40, "é", "\u200b", "%s", "{}", "$1", "\\",
    'a"; DROP TABLE x; --', "camelCaseName", "HTMLParser", "a.b", "tab\tname",
]  # fmt: skip


def test_odd_names_are_safe_and_never_share_a_column(load: Loader, singer: Singer) -> None:
    """D11, D12, G16."""
    record = {name: f"value of {number}" for number, name in enumerate(ODD)}
    for _ in range(2):
        load(singer.schema(dict.fromkeys(ODD, singer.text)), singer.record({"id": "1", **record}))
    columns = load.database.query("SELECT path[1], column_name FROM _crmdb.columns WHERE table_name = 'contacts'")
    names = dict(columns)
    assert len(columns) == len(set(names.values())) == len(ODD) + 2
    assert all(len(name.encode()) <= 63 for name in names.values())
    row = load.database.query("SELECT to_jsonb(c) FROM crm_test.contacts c")[0][0]
    assert record == {name: row[names[name]] for name in ODD}
    assert {"camelCaseName": "camel_case_name", "HTMLParser": "html_parser", "Email": "email"}.items() <= names.items()


def test_a_name_once_given_never_changes(load: Loader, singer: Singer) -> None:
    load(singer.schema({"Email": singer.text}))
    load(singer.schema({"email": singer.text, "Email": singer.text}), singer.record({"id": "1", "Email": "first"}))
    assert [("1", "first")] == load.table("id, email")


def test_odd_stream_names(load: Loader, singer: Singer) -> None:
    """#119, #152: upper case; and two streams that would give one table."""
    for stream in ("Contacts", "contacts", "public-contacts", 'we"ird; DROP', "x" * 100):
        load(singer.schema(stream=stream), singer.record({"id": stream}, stream=stream))
    tables = load.database.query("SELECT stream, table_name FROM _crmdb.tables")
    assert 5 == len({name for _, name in tables})
    for stream, name in tables:
        quoted = name.replace('"', '""')
        assert [(stream,)] == load.database.query(f'SELECT id FROM crm_test."{quoted}"')


def test_a_changed_key_is_refused(load: Loader, singer: Singer) -> None:
    """T13."""
    load(singer.schema())
    with pytest.raises(CrmdbError, match="key"):
        load(singer.schema(key_properties=["at"]))


def test_a_key_that_the_schema_does_not_declare_is_refused(load: Loader, singer: Singer) -> None:
    with pytest.raises(CrmdbError, match="key properties"):
        load(singer.schema(key_properties=["nothing"]))


def test_dropped_tables_and_columns_come_back(load: Loader, singer: Singer) -> None:
    messages = (singer.schema({"v": singer.text}), singer.record({"id": "1", "v": "x"}))
    load(*messages)
    load.database.query("ALTER TABLE crm_test.contacts DROP COLUMN v")
    load(*messages)
    assert [("1", "x")] == load.table("id, v")
    load.database.query("DROP TABLE crm_test.contacts")
    load(*messages)
    assert [("1", "x")] == load.table("id, v")


def test_the_same_schema_again_and_again_is_no_new_table(load: Loader, singer: Singer) -> None:
    """MeltanoLabs/target-postgres#124: a connection per repeated SCHEMA."""
    load(*[message for n in range(50) for message in (singer.schema(), singer.record({"id": str(n)}))])
    assert 50 == len(load.table("id"))
    assert [("create table",)] == load.database.query("SELECT change FROM _crmdb.schema_log")


def test_a_schema_in_the_streams_name_is_used_where_no_target_schema_is_set(load: Loader, singer: Singer) -> None:
    load(singer.schema(stream="other-people"), default_target_schema="")
    assert [("other", "people")] == load.database.query("SELECT table_schema, table_name FROM _crmdb.tables")
