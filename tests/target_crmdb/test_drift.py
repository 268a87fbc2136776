"""A changed SCHEMA widens, adds, or is held back by the stream's policy; nothing is lost and everything is logged."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_crmdb.exceptions import ConfigError, CrmdbError
from target_crmdb.tables import TableRequest, plan_table

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

INTEGER, NUMBER, TEXT, OBJECT = ({"type": kind} for kind in ("integer", "number", "string", "object"))
INT4: Message = {**INTEGER, "minimum": 0, "maximum": 9}
DAY: Message = {**TEXT, "format": "date"}
INSTANT: Message = {**TEXT, "format": "date-time"}
DOUBLE: Message = {**NUMBER, "format": "double"}
ID: Message = {**TEXT, "format": "uuid"}
SOME_ID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


def kinds(load: Loader) -> dict[str, str]:
    """The types of the table's columns."""
    return dict(
        load.database.query(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'crm_test.contacts'::regclass AND attnum > 0 AND NOT attisdropped"
        )
    )


def log(load: Loader) -> list[tuple[Any, ...]]:
    """The schema log without the making of the table."""
    rows: list[tuple[Any, ...]] = load.database.query(
        "SELECT change, column_name, from_type, to_type FROM _crmdb.schema_log"
        " WHERE change <> 'create table' ORDER BY change_id"
    )
    return rows


def grow(load: Loader, singer: Singer, old: Message, new: Message, **settings: Any) -> None:
    """Load a value 5 (id 1) under one type of field v, then the SCHEMA with another."""
    load(singer.schema({"v": old}), singer.record({"id": "1", "v": 5}))
    load(singer.schema({"v": new}), **settings)


# declared before, a value, declared after, a value, the column's type then, and what it holds as text
WIDENED: list[tuple[Message, Any, Message, Any, str, list[str]]] = [
    (INT4, 5, INTEGER, 2**40, "bigint", ["5", str(2**40)]),
    (INTEGER, 5, NUMBER, 2.5, "numeric", ["5", "2.5"]),
    (INTEGER, 5, TEXT, "x", "text", ["5", "x"]),
    (NUMBER, 2.5, TEXT, "x", "text", ["2.5", "x"]),
    (INT4, 5, DOUBLE, 0.1, "double precision", ["5", "0.1"]),
    (DOUBLE, 0.30000000000000004, NUMBER, 2.5, "numeric", ["0.30000000000000004", "2.5"]),
    (DOUBLE, 0.5, INTEGER, 2**60, "numeric", ["0.5", str(2**60)]),
    ({"type": "boolean"}, True, TEXT, "x", "text", ["true", "x"]),
    (INTEGER, 5, {"type": "boolean"}, True, "text", ["5", "true"]),
    (INTEGER, 5, OBJECT, {"a": 1}, "jsonb", ["5", '{"a": 1}']),
    (TEXT, "x", INTEGER, 5, "text", ["x", "5"]),
    (NUMBER, 2.5, INTEGER, 5, "numeric", ["2.5", "5"]),
    (OBJECT, {"a": 1}, TEXT, "x", "jsonb", ['{"a": 1}', '"x"']),
    (DAY, "2026-01-02", INSTANT, "2026-01-02T03:00:00Z", "timestamp with time zone",
        ["2026-01-02 00:00:00+00", "2026-01-02 03:00:00+00"]),
    (ID, SOME_ID, TEXT, "x", "text", [SOME_ID, "x"]),
]  # fmt: skip


def test_a_changed_schema_widens_columns_in_place(load: Loader, singer: Singer) -> None:
    cases = dict(enumerate(WIDENED))
    for place, key in ((0, "1"), (2, "2")):
        load(
            singer.schema({f"v{n}": case[place] for n, case in cases.items()}),
            singer.record({"id": key, **{f"v{n}": case[place + 1] for n, case in cases.items()}}),
        )
    assert [case[4] for case in WIDENED] == [kinds(load)[f"v{n}"] for n in cases]
    name = load.database.query("SELECT current_database()")[0][0]
    load.database.query(f"ALTER DATABASE {name} SET timezone TO 'UTC'")
    assert [case[5] for case in WIDENED] == [[row[1] for row in load.table(f"id, v{n}::text")] for n in cases]
    assert ("change type", "v1", "bigint", "numeric") in log(load)
    assert dict(load.database.query("SELECT column_name, column_type FROM _crmdb.columns")).items() >= {
        (f"v{n}", case[4]) for n, case in cases.items()
    }


def test_one_value_never_changes_a_type(load: Loader, singer: Singer) -> None:
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 2.5}), singer.record({"id": "2", "v": "x"}))
    assert "bigint" == kinds(load)["v"]
    assert [2, 3] == [line for _, line, _, _ in load.rejects()]


# Views


def test_our_own_views_are_made_again(load: Loader, singer: Singer) -> None:
    """In one transaction, with options, comments, grants and owner; also a view over a view."""
    query = load.database.query
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5}))
    role = f"reader_{load.database.name}"
    query(f"CREATE ROLE {role}")
    try:
        query("CREATE SCHEMA crm")
        query("CREATE VIEW crm.b WITH (security_barrier) AS SELECT id, v FROM crm_test.contacts")
        query("CREATE VIEW crm.a AS SELECT b.v AS amount, c.v AS other FROM crm.b JOIN crm_test.contacts c USING (id)")
        query("COMMENT ON VIEW crm.b IS 'it''s {b} 100%'; COMMENT ON COLUMN crm.b.v IS 'the v'")
        query(f"GRANT SELECT, UPDATE (v) ON crm.b TO {role}; GRANT SELECT ON crm.a TO PUBLIC")
        query(f"ALTER VIEW crm.a OWNER TO {role}; GRANT USAGE ON SCHEMA crm, crm_test TO {role}")
        query(f"GRANT SELECT ON crm_test.contacts TO {role}")
        facts = (
            "SELECT relname::text, relowner, relacl::text, reloptions, obj_description(c.oid),"
            " col_description(c.oid, 2),"
            " (SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid AND attname = 'v') FROM pg_class c"
            " WHERE relnamespace = 'crm'::regnamespace ORDER BY 1"
        )
        before = query(facts)
        load(singer.schema({"v": TEXT}), singer.record({"id": "2", "v": "x"}))
        assert before == query(facts)
        assert [("5", "5"), ("x", "x")] == query("SELECT amount, other FROM crm.a ORDER BY 1")
        changes = query(
            "SELECT change, details FROM _crmdb.schema_log WHERE change <> 'create table' ORDER BY change_id"
        )
        assert [("change type", None), ("rebuild view", "crm.b"), ("rebuild view", "crm.a")] == changes
    finally:
        query(f"DROP OWNED BY {role}")
        query(f"DROP ROLE {role}")


def test_views_over_several_changed_columns_are_made_in_their_order(load: Loader, singer: Singer) -> None:
    query = load.database.query
    load(singer.schema({"v": INTEGER, "w": INTEGER}), singer.record({"id": "1", "v": 5, "w": 6}))
    query("CREATE SCHEMA crm")
    query("CREATE VIEW crm.b AS SELECT id, v FROM crm_test.contacts")
    query("CREATE VIEW crm.c AS SELECT id, w FROM crm_test.contacts")
    query("CREATE VIEW crm.a AS SELECT v, w FROM crm.b JOIN crm.c USING (id)")
    query("CREATE OR REPLACE VIEW crm.b AS SELECT id, v FROM crm_test.contacts WHERE id IN (SELECT id FROM crm.c)")
    load(singer.schema({"v": TEXT, "w": TEXT}))
    assert [("5", "6")] == query("SELECT * FROM crm.a")


def test_types_that_come_and_go_end_in_one_column(load: Loader, singer: Singer) -> None:
    for kind in (INTEGER, {"type": "boolean"}) * 3:
        load(singer.schema({"v": kind}), max_rewrite_bytes=1)
    assert [("add sibling", "v_text", None, "text")] == log(load)


def test_a_view_that_cannot_be_made_again_stops_the_change(load: Loader, singer: Singer) -> None:
    load(singer.schema({"v": INTEGER}))
    load.database.query("CREATE SCHEMA crm; CREATE VIEW crm.total AS SELECT sum(v) FROM crm_test.contacts")
    with pytest.raises(CrmdbError, match="drop or change that object"):
        load(singer.schema({"v": TEXT}))
    assert [(None,)] == load.database.query("SELECT * FROM crm.total")
    assert "bigint" == kinds(load)["v"]


HINDRANCES = {
    "view": "CREATE VIEW crm_test.mine AS SELECT v FROM crm_test.contacts",
    "view over ours": "CREATE SCHEMA crm; CREATE VIEW crm.a AS SELECT v FROM crm_test.contacts;"
    "CREATE VIEW crm_test.mine AS SELECT v FROM crm.a",
    "function over ours": "CREATE SCHEMA crm; CREATE VIEW crm.a AS SELECT v FROM crm_test.contacts;"
    "CREATE FUNCTION f() RETURNS SETOF crm.a LANGUAGE sql AS 'SELECT * FROM crm.a'",
    "materialized view": "CREATE SCHEMA crm; CREATE MATERIALIZED VIEW crm.m AS SELECT v FROM crm_test.contacts",
    "rule": "CREATE RULE r AS ON DELETE TO crm_test.contacts WHERE old.v = 1 DO INSTEAD NOTHING",
    "generated": "ALTER TABLE crm_test.contacts ADD g bigint GENERATED ALWAYS AS (v + 1) STORED",
    "default": "ALTER TABLE crm_test.contacts ALTER v SET DEFAULT 7",
    "check": "ALTER TABLE crm_test.contacts ADD CHECK (v > 0)",
    "expression": "CREATE INDEX ON crm_test.contacts ((v + 1))",
    "partial": "CREATE INDEX ON crm_test.contacts (id) WHERE v > 0",
    "foreign key": "CREATE TABLE other (v bigint PRIMARY KEY); INSERT INTO other VALUES (5);"
    "ALTER TABLE crm_test.contacts ADD FOREIGN KEY (v) REFERENCES other",
    "policy": "CREATE POLICY p ON crm_test.contacts USING (v > 0)",
    "trigger": "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
    "CREATE TRIGGER t BEFORE UPDATE OF v ON crm_test.contacts FOR EACH ROW EXECUTE FUNCTION t()",
}


@pytest.mark.parametrize("hindrance", HINDRANCES.values(), ids=HINDRANCES)
def test_what_a_user_has_built_on_a_column_is_left_alone(load: Loader, singer: Singer, hindrance: str) -> None:
    """Field and column part: new values stand in a sibling, reported by one warning and in the schema log."""
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5}))
    load.database.query(hindrance)
    load(singer.schema({"v": TEXT}), singer.record({"id": "2", "v": "x"}))
    assert [("1", 5, None), ("2", None, "x")] == load.table("id, v, v_text")
    assert [("add sibling", "v_text", None, "text")] == log(load)


def test_an_index_does_not_hinder(load: Loader, singer: Singer) -> None:
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5}))
    load.database.query("CREATE INDEX ON crm_test.contacts (v); CREATE UNIQUE INDEX ON crm_test.contacts (v, id)")
    load.database.query("CREATE STATISTICS crm_test.s ON v, id FROM crm_test.contacts")
    load(singer.schema({"v": TEXT}), singer.record({"id": "2", "v": "x"}))
    assert [("1", "5"), ("2", "x")] == load.table("id, v")


# Fields that come before they are declared

# declared as, and what a record had before and whether it becomes a value of the column
EARLIER: list[tuple[Message, Any, bool]] = [
    (TEXT, "x", True),
    (TEXT, 5, False),
    (INTEGER, 5, True),
    (INTEGER, 2.5, False),
    (INTEGER, 2**63, False),
    (INT4, 2**31, False),
    (NUMBER, 2.5, True),
    (NUMBER, "x", False),
    (DOUBLE, 0.1, True),
    (DOUBLE, 10**301, False),
    ({"type": "boolean"}, True, True),
    (OBJECT, {"a": [1]}, True),
    (DAY, "2026-01-02", True),
    (DAY, "2026-02-30", False),
    (DAY, "now", False),
    (INSTANT, "2026-01-02t03:00:00.5z", True),
    (INSTANT, "2026-01-02\n", False),
    (ID, SOME_ID, True),
    (ID, "x", False),
]


def test_what_came_undeclared_moves_to_its_column(load: Loader, singer: Singer) -> None:
    """No old value is left in _extra beside a new one; what is none of the column's type stays there."""
    record = {f"v{n}": value for n, (_, value, _) in enumerate(EARLIER)}
    load(singer.schema(), singer.record({"id": "1", **record, "more": 1, "null": None}), singer.record({"id": "2"}))
    declared = {f"v{n}": kind for n, (kind, _, _) in enumerate(EARLIER)}
    load(singer.schema({**declared, "null": TEXT}))
    row, extra = load.table("to_jsonb(contacts) - '_extra', _extra")[0]
    moved = [f"v{n}" for n, (_, _, moves) in enumerate(EARLIER) if moves]
    assert {"more": 1} | {name: record[name] for name in record if name not in moved} == extra
    assert set(moved) == {name for name in record if row[name] is not None}
    assert ("x", 5, 0.1) == load.table("v0, v2, v8")[0]
    load(singer.schema({**declared, "more": INTEGER}), max_rewrite_bytes=1)
    assert ("1", None, 1) == load.table("id, more, (_extra->>'more')::int")[0]


# Siblings


def test_a_large_table_is_not_rewritten(load: Loader, singer: Singer, caplog: pytest.LogCaptureFixture) -> None:
    grow(load, singer, INTEGER, NUMBER, max_rewrite_bytes=1)
    assert ("bigint", "numeric") == (kinds(load)["v"], kinds(load)["v_numeric"])
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert ["v_numeric" in text and "max_rewrite_bytes" in text and "coalesce" in text for text in warnings] == [True]


def test_a_limit_is_lifted_whatever_the_tables_size(load: Loader, singer: Singer) -> None:
    """A user has narrowed our columns; lifting a length or a precision writes no row anew."""
    schema = singer.schema({"a": TEXT, "b": NUMBER})
    load(schema)
    load.database.query("ALTER TABLE crm_test.contacts ALTER a TYPE varchar(3), ALTER b TYPE numeric(9,2)")
    load(schema, singer.record({"id": "1", "a": "longer", "b": 0.123}), max_rewrite_bytes=1)
    assert {"a": "text", "b": "numeric"}.items() <= kinds(load).items()
    assert [("longer", "0.123")] == load.table("a, b::text")


def test_no_old_value_stands_beside_a_new_one(load: Loader, singer: Singer) -> None:
    """The old column is emptied when a record has the field, and kept when it lacks it."""
    schema = singer.schema({"v": singer.text, "w": TEXT})
    grow(load, singer, INTEGER, singer.text, max_rewrite_bytes=1)
    load(schema, singer.record({"id": "1", "w": "other"}))
    assert [(5, None, "5")] == load.table("v, v_text, coalesce(v_text, v::text)")
    load(schema, singer.record({"id": "1", "v": "x"}))
    assert [(None, "x")] == load.table("v, v_text")
    load.database.query("UPDATE crm_test.contacts SET v = 5, v_text = null")
    load(schema, singer.record({"id": "1", "v": None}))
    assert [(None, None)] == load.table("v, v_text")
    load(schema, singer.record({"id": "1", "v": None}))
    assert {"seen": 1, "unchanged": 1} == load.outcomes()


def test_a_sibling_is_the_fields_column_from_then_on(load: Loader, singer: Singer) -> None:
    grow(load, singer, INTEGER, NUMBER, max_rewrite_bytes=1)
    for declared in (NUMBER, INTEGER):
        load(singer.schema({"v": declared}), max_rewrite_bytes=1)
    assert [("add sibling", "v_numeric", None, "numeric")] == log(load)
    load(singer.schema({"v": TEXT}), singer.record({"id": "1", "v": "x"}), max_rewrite_bytes=1)
    assert [(None, None, "x")] == load.table("v, v_numeric, v_numeric_text")
    assert [("v", None, True), ("v_numeric", "v", True), ("v_numeric_text", "v_numeric", False)] == (
        load.database.query(
            "SELECT column_name, sibling_of, retired_at IS NOT NULL FROM _crmdb.columns WHERE path = '{v}' ORDER BY 1"
        )
    )


def test_a_siblings_name_is_nobody_elses(load: Loader, singer: Singer) -> None:
    fields = {"v": INTEGER, "v_numeric": TEXT}
    load(singer.schema(fields))
    load(
        singer.schema({**fields, "v": NUMBER}),
        singer.record({"id": "1", "v": 2.5, "v_numeric": "x"}),
        max_rewrite_bytes=1,
    )
    names = dict(load.database.query("SELECT sibling_of, column_name FROM _crmdb.columns WHERE sibling_of IS NOT NULL"))
    assert names["v"].startswith("v_numeric_")
    assert [("x", 2.5)] == [(text, float(number)) for text, number in load.table(f"v_numeric, {names['v']}")]


def test_a_nested_field_gets_a_sibling_too(load: Loader, singer: Singer) -> None:
    def schema(kind: Message) -> Message:
        return singer.schema({"properties": {"type": ["null", "object"], "properties": {"v": kind}}})

    load(schema(INTEGER), singer.record({"id": "1", "properties": {"v": 5}}), source="hubspot")
    for value in ("x", None):
        record = singer.record({"id": "1", "properties": value and {"v": value}})
        load(schema(TEXT), record, source="hubspot", max_rewrite_bytes=1)
        assert [(None, value)] == load.table("v, v_text")


def test_without_room_for_a_sibling_the_field_stands_in_extra(load: Loader, singer: Singer) -> None:
    small = {"max_columns": 10, "max_rewrite_bytes": 1}
    fields = {f"f{n}": INTEGER for n in range(6)}
    load(singer.schema(fields), singer.record({"id": "1", "f0": 5}), **small)
    for _ in range(2):
        load(singer.schema({**fields, "f0": TEXT}), singer.record({"id": "1", "f0": "x"}), **small)
    assert [(None, {"f0": "x"})] == load.table("f0, _extra")
    assert [("keep in _extra", "f0", None, None)] == log(load)


def test_widening_never_makes_a_row_too_long(load: Loader, singer: Singer) -> None:
    """D13: 390 integers become texts of 23 bytes, which would be 9,360 bytes beside each other."""
    fields = {f"f{n}": INTEGER for n in range(390)}
    load(singer.schema(fields), singer.record({"id": "1", **dict.fromkeys(fields, 5)}))
    record = {name: name + "x" * (23 - len(name)) for name in fields}
    load(singer.schema(dict.fromkeys(fields, TEXT)), singer.record({"id": "1", **record}))
    assert {"seen": 1, "updated": 1} == load.outcomes()
    ((row, extra),) = load.table("to_jsonb(contacts) - '_extra', _extra")
    assert record == {name: extra.get(name) or row[name] for name in record}
    assert all(row[name] is None for name in extra)


@pytest.mark.parametrize("field", ["id", "at"])
def test_a_key_or_replication_key_has_no_sibling(load: Loader, singer: Singer, field: str) -> None:
    """Rows would lose their place, or their age."""
    load(singer.schema({"id": INTEGER, "at": DAY}), singer.record({"id": 1, "at": "2026-01-01"}))
    wider = {"id": NUMBER, "at": INSTANT}
    with pytest.raises(CrmdbError, match="max_rewrite_bytes is 1"):
        load(singer.schema({"id": INTEGER, "at": DAY, field: wider[field]}), max_rewrite_bytes=1)
    load(singer.schema({"id": INTEGER, "at": DAY, field: wider[field]}))


def test_a_column_of_a_foreign_type_is_refused_with_its_remedy(load: Loader, singer: Singer) -> None:
    load(singer.schema({"v": INSTANT}))
    load.database.query("ALTER TABLE crm_test.contacts ALTER v TYPE timestamp")
    with pytest.raises(ConfigError, match="timestamp without time zone") as caught:
        load(singer.schema({"v": INSTANT}))
    load.database.query(str(caught.value).partition("run: ")[2])
    load(singer.schema({"v": INSTANT}))


def test_a_column_that_a_user_has_added_is_not_written(load: Loader, singer: Singer) -> None:
    load(singer.schema(), singer.record({"id": "1"}))
    load.database.query("ALTER TABLE crm_test.contacts ADD score text DEFAULT 'mine'")
    load(singer.schema({"score": TEXT}), singer.record({"id": "1", "score": "theirs"}))
    ((name,),) = load.database.query("SELECT column_name FROM _crmdb.columns WHERE path = '{score}'")
    assert [("mine", "theirs")] == load.table(f"score, {name}")


# Any sequence

VALUES: list[tuple[Message, Any]] = [
    ({"type": ["null", *kind["type"].split()]}, value)
    for kind, value in ((INTEGER, 5), (NUMBER, 2.5), (TEXT, "x"), (OBJECT, {"a": 1}), ({"type": "boolean"}, True))
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VALUES),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["it", "null", "nothing"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, max_columns=st.sampled_from([10, 400]))
def test_after_any_changes_each_value_stands_in_one_place(
    load: Loader, singer: Singer, steps: list[Any], max_columns: int
) -> None:
    """Whichever changes were made in place, by siblings, or into _extra: the last value of each row is read back."""
    load.database.query("DROP SCHEMA IF EXISTS crm_test CASCADE; DROP SCHEMA IF EXISTS _crmdb CASCADE")
    model: dict[str, Any] = {}
    pad = {f"pad{n}": TEXT for n in range(4)}
    for (declared, value), key, sent, small in steps:
        record = {"it": {"v": value}, "null": {"v": None}, "nothing": {}}[sent]
        model[key] = {**model.get(key, {}), **record}
        schema = singer.schema({"v": declared, **pad})
        load(
            schema,
            singer.record({"id": key, **record}),
            max_rewrite_bytes=1 if small else 2**30,
            max_columns=max_columns,
        )
    places = [name for (name,) in load.database.query("SELECT column_name FROM _crmdb.columns WHERE path = '{v}'")]
    columns = ", ".join("_extra->>'v'" if name == "_extra" else f"{name}::text" for name in places)
    found = {key: [text for text in texts if text is not None] for key, *texts in load.table(f"id, {columns}")}
    expected = {key: record.get("v") for key, record in model.items()}
    assert {key: [] if value is None else [json.dumps(value).strip('"')] for key, value in expected.items()} == {
        key: [text.strip('"') for text in texts] for key, texts in found.items()
    }


def test_a_schema_that_changes_within_a_run(load: Loader, singer: Singer) -> None:
    load(
        singer.schema({"v": INTEGER}),
        singer.record({"id": "1", "v": 5}),
        singer.schema({"v": TEXT, "w": TEXT}),
        singer.record({"id": "2", "v": "x", "w": "y"}),
        singer.schema({"v": INTEGER}),
        singer.record({"id": "3", "v": 7}),
    )
    assert [("1", "5", None), ("2", "x", "y"), ("3", "7", None)] == load.table("id, v, w")


# Policies


@pytest.mark.parametrize("setting", [{"schema_change": "freeze"}, {"stream_schema_change": {"contacts": "freeze"}}])
def test_freeze_fails_before_any_row(load: Loader, singer: Singer, setting: dict[str, Any]) -> None:
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5}), **setting)
    with pytest.raises(CrmdbError, match=r"add column w text.*change type v from bigint") as caught:
        load(singer.schema({"v": TEXT, "w": TEXT}), singer.record({"id": "2"}), singer.state(1), **setting)
    assert not isinstance(caught.value, ConfigError)
    assert [("1",)] == load.table("id")
    assert [] == log(load)


def test_freeze_lets_the_same_schema_pass(load: Loader, singer: Singer) -> None:
    """Also with fields that never had a column, a field less, and a narrower type."""
    fields = {f"f{n}": NUMBER for n in range(12)}
    for declared in (fields, fields, {**fields, "f0": INTEGER}, {"f1": NUMBER}):
        load(singer.schema(declared), singer.record({"id": "1", "more": 1}), schema_change="freeze", max_columns=10)
    assert [{"more": 1}] == [extra for (extra,) in load.table("_extra")]


def test_discard_value_leaves_out_what_does_not_fit(
    load: Loader, singer: Singer, caplog: pytest.LogCaptureFixture
) -> None:
    """As if the record lacked it: the stored value stays; counted and said once per field."""
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5, "odd": 1}))
    caplog.clear()
    load(
        singer.schema({"v": {"type": ["null", "string", "integer"]}, "w": TEXT}),
        singer.record({"id": "1", "v": "x", "w": "secret canary"}),
        singer.record({"id": "2", "v": 7, "odd": 2}),
        singer.record({"id": "3", "v": "y", "w": "z"}),
        singer.record({"id": "4", "v": None, "odd": None}),
        schema_change="discard_value",
        batch_size_rows=1,
    )
    assert [("1", 5, {"odd": 1}), ("2", 7, None), ("3", None, None), ("4", None, None)] == load.table("id, v, _extra")
    assert "w" not in kinds(load)
    assert [("v", 2), ("w", 2), ("odd", 1)] == load.database.query(
        "SELECT column_name, records::int FROM _crmdb.schema_log WHERE change = 'discard value' ORDER BY change_id"
    )
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [1, 1, 1] == [
        sum(f"field {name} was left out of" in text for text in warnings) for name in ("v", "w", "odd")
    ]
    assert "canary" not in caplog.text
    assert [] == load.rejects()


def test_reject_row_refuses_rows_with_such_values(load: Loader, singer: Singer) -> None:
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5}))
    load(
        singer.schema({"v": {"type": ["null", "string", "integer"]}, "w": {"type": ["null", "string"]}}),
        singer.record({"id": "1", "v": "x"}),
        singer.record({"id": "2", "v": 7, "w": None}),
        singer.record({"id": "3", "w": "z"}),
        singer.record({"id": "4", "odd": 1}),
        schema_change="reject_row",
    )
    assert [("1", 5), ("2", 7)] == load.table("id, v")
    assert [(2, "v"), (4, "w"), (5, "odd")] == [(line, field) for _, line, field, _ in load.rejects()]
    assert {"schema_change"} == {found for *_, found in load.rejects()}


# stored under, then declared as, and a value that the column does not hold without change
LOSSY: list[tuple[Message, Message, Any]] = [
    (NUMBER, TEXT, "007"),
    (TEXT, OBJECT, {"a": 1}),
    (DAY, INSTANT, "2026-01-01T10:00:00Z"),
    (INT4, INTEGER, 2**31),
    (INTEGER, NUMBER, 2.5),
    ({"type": "boolean"}, TEXT, "true"),
]


def test_a_value_that_would_change_does_not_fit(load: Loader, singer: Singer) -> None:
    load(singer.schema({f"v{n}": old for n, (old, _, _) in enumerate(LOSSY)}))
    load(
        singer.schema({f"v{n}": new for n, (_, new, _) in enumerate(LOSSY)}),
        singer.record({"id": "1", **{f"v{n}": value for n, (_, _, value) in enumerate(LOSSY)}}),
        schema_change="discard_value",
    )
    assert [(None,) * len(LOSSY)] == load.table(", ".join(f"v{n}" for n in range(len(LOSSY))))


def test_a_double_takes_only_its_own_digits_from_numbers(load: Loader, singer: Singer) -> None:
    line = b'{"type":"RECORD","stream":"contacts","record":{"id":"%d","v":%s}}\n'
    load(singer.schema({"v": DOUBLE}))
    load(
        singer.schema({"v": NUMBER}),
        line % (1, b"0.1"),
        line % (2, b"0.12345678901234567890"),
        schema_change="discard_value",
    )
    assert [("1", 0.1), ("2", None)] == load.table("id, v")


def test_a_key_that_does_not_fit_is_never_left_out(load: Loader, singer: Singer) -> None:
    load(singer.schema({"id": INTEGER}), singer.record({"id": 1}))
    load(singer.schema({"id": TEXT}), singer.record({"id": "x"}), schema_change="discard_value")
    assert [("contacts", 2, "id", "schema_change")] == load.rejects()


def test_what_a_policy_held_back_comes_with_evolve(load: Loader, singer: Singer) -> None:
    load(singer.schema())
    for policy in ("discard_value", "evolve"):
        load(singer.schema({"v": TEXT}), singer.record({"id": "1", "v": "x"}), schema_change=policy)
    assert [("1", "x")] == load.table("id, v")


def test_a_policy_is_one_of_four(load: Loader, singer: Singer) -> None:
    with pytest.raises(Exception, match="settings"):
        load(singer.schema(), stream_schema_change={"contacts": "thaw"})


# Planning


def test_a_plan_is_made_without_touching_anything(load: Loader, singer: Singer) -> None:
    load(singer.schema({"v": INTEGER}), singer.record({"id": "1", "v": 5}))
    wanted = singer.schema({"v": TEXT, "w": DAY})["schema"]
    for stream, expected in (
        ("contacts", ["change type v from bigint to text", "add column w date"]),
        ("deals", ["create table"]),
    ):
        request = TableRequest("crm_test", (stream,), stream, wanted, ("id",), "at", None, 400, False, 1)
        with psycopg.connect(load.database.url, options="-c search_path=_crmdb") as connection:
            connection.read_only = True
            with connection.cursor() as cursor:
                change = plan_table(cursor, request)
        assert expected == [str(one) for one in change.changes]
        assert ["id", "at", "v", "w"] == [column.name for column in change.plan.columns]
