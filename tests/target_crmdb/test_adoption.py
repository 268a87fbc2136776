"""T12: a table that someone else made is taken over as it is, or refused with a plan; it is never dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

AMOUNT: Message = {"type": ["null", "integer"]}


def made(load: Loader, *statements: str) -> None:
    """What someone has made before the first run."""
    for statement in ("CREATE SCHEMA crm_test", *statements):
        load.database.query(statement)


def changes(load: Loader) -> list[tuple[Any, ...]]:
    """The schema log."""
    rows: list[tuple[Any, ...]] = load.database.query(
        "SELECT change, column_name FROM _crmdb.schema_log ORDER BY change_id"
    )
    return rows


@pytest.mark.parametrize(
    "table",
    [
        "(id text PRIMARY KEY, amount bigint)",
        "(amount numeric, id text UNIQUE, mine text)",
        "(id varchar PRIMARY KEY, amount text, mine int NOT NULL DEFAULT 7, num int GENERATED ALWAYS AS IDENTITY)",
        "(id text PRIMARY KEY, amount jsonb) PARTITION BY HASH (id)",
    ],
    ids=["as we would", "wider types", "own columns", "partitioned"],
)
def test_a_table_that_fits_is_adopted(load: Loader, singer: Singer, table: str) -> None:
    """Its rows stay, wider types and columns of its own are left alone, and what is missing is added."""
    made(load, f"CREATE TABLE crm_test.contacts {table}")
    if "PARTITION" in table:
        load.database.query(
            "CREATE TABLE crm_test.part PARTITION OF crm_test.contacts FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
        )
    load.database.query("INSERT INTO crm_test.contacts (id) VALUES ('old')")
    schema = singer.schema({"amount": AMOUNT})
    for value in (5, 6):
        load(schema, singer.record({"id": "new", "at": "2026-01-01T00:00:00Z", "amount": value}))
    load(schema, singer.record({"id": "old", "amount": 1}))
    assert [("new", "6"), ("old", "1")] == load.table("id, amount::text")
    added = [("add column", name) for name in ("_sdc_deleted_at", "_extra", "at")]
    assert [("adopt table", None), *added] == changes(load)
    assert [(True,)] == load.database.query("SELECT adopted FROM _crmdb.tables")


def test_names_are_compared_as_we_would_give_them(load: Loader, singer: Singer) -> None:
    """Case-exact: a column "Amount" is the user's own."""
    made(load, 'CREATE TABLE crm_test.contacts (id text PRIMARY KEY, "Amount" text, first_name text)')
    load(
        singer.schema({"Amount": AMOUNT, "firstName": singer.text}),
        singer.record({"id": "1", "Amount": 5, "firstName": "Ann"}),
    )
    assert [(None, 5, "Ann")] == load.table('"Amount", amount, first_name')


def test_a_composite_key_in_any_order(load: Loader, singer: Singer) -> None:
    made(load, "CREATE TABLE crm_test.contacts (b text, id text, PRIMARY KEY (b, id))")
    schema = singer.schema({"b": {"type": "string"}}, key_properties=["id", "b"])
    for number in (1, 2):
        load(schema, singer.record({"id": "1", "b": "x", "more": number}))
    assert [("1", "x", {"more": 2})] == load.table("id, b, _extra")


# what someone has made, and the problems that are named
REFUSED: list[tuple[str, list[str]]] = [
    ("CREATE TABLE crm_test.contacts (id text)", ["no unique constraint on exactly the key (id)"]),
    ("CREATE TABLE crm_test.contacts (x int)", ["no column id", "no unique constraint"]),
    ("CREATE TABLE crm_test.contacts (id text, x text, UNIQUE (id, x))", ["no unique constraint"]),
    ("CREATE TABLE crm_test.contacts (id text UNIQUE DEFERRABLE)", ["is deferrable", "no unique constraint"]),
    (
        "CREATE TABLE crm_test.contacts (id text, x int); CREATE UNIQUE INDEX ON crm_test.contacts (id) WHERE x > 0",
        ["no unique constraint"],
    ),
    ("CREATE TABLE crm_test.contacts (id varchar(9) PRIMARY KEY)", ["id is character varying(9)"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, amount smallint)", ["amount is smallint"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, amount int)", ["amount is integer", "bigint"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, amount numeric(9,2))", ["amount is numeric(9,2)"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, amount real)", ["amount is real"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, at timestamp)", ["at time zone 'UTC'"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, _extra json)", ["_extra is json,"]),
    ("CREATE TABLE crm_test.contacts (id text PRIMARY KEY, mine int NOT NULL)", ["column mine", "drop not null"]),
    (
        "CREATE TABLE crm_test.contacts (id text PRIMARY KEY, amount bigint GENERATED ALWAYS AS (5) STORED)",
        ["amount is generated"],
    ),
    (
        "CREATE TABLE crm_test.contacts (id text, amount int, at text[], mine int NOT NULL)",
        ["unique", "amount", "column at", "column mine"],
    ),
]


@pytest.mark.parametrize(("statement", "problems"), REFUSED)
def test_a_table_that_does_not_fit_is_refused_with_a_plan(
    load: Loader, singer: Singer, statement: str, problems: list[str]
) -> None:
    """Every problem is named, nothing is changed, and after the plan's statements the table is adopted."""
    made(load, *statement.split("; "))
    schema = singer.schema({"amount": AMOUNT})
    with pytest.raises(ConfigError, match="not made by target-crmdb") as caught:
        load(schema)
    lines = [line for line in str(caught.value).splitlines() if line[:1].isdigit()]
    assert all(problem in str(caught.value) for problem in problems)
    assert [] == load.database.query("SELECT * FROM _crmdb.tables")
    for line in lines:
        if "text[]" not in line:
            load.database.query(line[line.index("alter table") :])
    load.database.query("ALTER TABLE crm_test.contacts DROP COLUMN IF EXISTS at")
    load(schema, singer.record({"id": "1", "amount": 5}))
    assert [("1", 5)] == load.table("id, amount")


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("VIEW crm_test.contacts AS SELECT 1 AS id", "a view"),
        ("MATERIALIZED VIEW crm_test.contacts AS SELECT 1 AS id", "a materialized view"),
        ("SEQUENCE crm_test.contacts", "a sequence"),
        ("TYPE crm_test.contacts AS (id text)", "a composite type"),
        (
            "FOREIGN TABLE crm_test.contacts (id text) SERVER s",
            "a foreign table",
        ),
    ],
)
def test_what_is_no_table_is_refused(load: Loader, singer: Singer, kind: str, word: str) -> None:
    made(load, "CREATE FOREIGN DATA WRAPPER w", "CREATE SERVER s FOREIGN DATA WRAPPER w", f"CREATE {kind}")
    with pytest.raises(ConfigError, match=f"it is {word}"):
        load(singer.schema())


def test_a_table_of_another_role_is_refused(load: Loader, singer: Singer) -> None:
    name = load.database.name
    owner, user = f"owner_{name}", f"user_{name}"
    made(
        load,
        f"CREATE ROLE {owner}",
        f"CREATE ROLE {user} LOGIN",
        "CREATE TABLE crm_test.contacts (id text PRIMARY KEY)",
    )
    try:
        load.database.query(
            f"ALTER TABLE crm_test.contacts OWNER TO {owner}; GRANT CREATE ON DATABASE {name} TO {user}"
        )
        load.database.query(f"GRANT ALL ON SCHEMA crm_test TO {user}")
        url = load.database.sqlalchemy_url.replace("postgres@", f"{user}@")
        with pytest.raises(ConfigError, match=f'belongs to {owner}, and {user} may not alter it: grant "{owner}"'):
            load(singer.schema(), sqlalchemy_url=url)
        load.database.query(f"GRANT {owner} TO {user}; GRANT ALL ON SCHEMA crm_test TO {owner}")
        load(singer.schema(), singer.record({"id": "1"}), sqlalchemy_url=url)
        assert [("1",)] == load.table("id")
    finally:
        load.database.query(f"DROP OWNED BY {owner}, {user} CASCADE")
        load.database.query(f"DROP ROLE {owner}, {user}")


def test_a_stream_without_a_key_takes_no_table_over(load: Loader, singer: Singer) -> None:
    made(load, "CREATE TABLE crm_test.contacts (id text PRIMARY KEY)")
    with pytest.raises(ConfigError, match="has no key"):
        load(singer.schema(key_properties=[]))


def test_freeze_adopts_only_what_needs_no_column(load: Loader, singer: Singer) -> None:
    made(load, "CREATE TABLE crm_test.contacts (id text PRIMARY KEY, at timestamptz)")
    with pytest.raises(Exception, match="add column amount bigint"):
        load(singer.schema({"amount": AMOUNT}), schema_change="freeze")
    load(singer.schema(), schema_change="freeze")
    assert ("adopt table", None) in changes(load)


def test_a_table_of_ours_that_became_a_view_is_refused(load: Loader, singer: Singer) -> None:
    load(singer.schema())
    load.database.query("ALTER TABLE crm_test.contacts RENAME TO before")
    load.database.query("CREATE VIEW crm_test.contacts AS SELECT * FROM crm_test.before")
    with pytest.raises(ConfigError, match="no table any more"):
        load(singer.schema())
