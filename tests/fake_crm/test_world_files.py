"""Worlds out of a user's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm
from fake_crm.hubspot.rows import guess, slug
from fake_crm.hubspot.world_file import WorldFileError, quick_world, read_world
from fake_crm.hubspot.world_load import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNTS = """\
account,sector,employees,Zip Code,founded
Acme,tech,2822,00123,1996-05-01
"Smith, Sons & Co",retail,,45,2001-12-31
"""
PIPELINE = """\
opportunity,agent,product,account,deal_stage,close_date,close_value
A1,Moses Frase,GTX,Acme,Won,3/1/2017,1054.50
A2,Ada de Vries,MG,,Engaging,,
A3,Moses Frase,MG,"Smith, Sons & Co",Lost,12/31/2017,0
"""
WORLD = """\
[account]
time_zone = "Europe/Berlin"
currency = "EUR"
[objects.companies]
file = "accounts.csv"
name = "account"
types = { sector = "enumeration" }
[objects.companies.columns]
employees = "numberofemployees"
[objects.deals]
file = "pipeline.csv"
name = "opportunity"
owner = "agent"
stage = "deal_stage"
pipeline = "Sales"
date_format = "%m/%d/%Y"
[objects.deals.columns]
close_value = "amount"
close_date = "closedate"
[objects.deals.associations]
companies = { column = "account", property = "name" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS, "utf-8")
    (tmp_path / "pipeline.csv").write_text(PIPELINE, "utf-8-sig")
    (tmp_path / "world.toml").write_text(WORLD, "utf-8")
    return tmp_path


@pytest.fixture
def empty() -> Iterator[FakeCrm]:
    with FakeCrm(contacts=0, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        yield crm


def properties(crm: FakeCrm, kind: str) -> list[dict[str, Any]]:
    return [row["properties"] for row in crm.hubspot.records(kind)]


def problems(path: Path, crm: FakeCrm | None = None) -> list[str]:
    with pytest.raises(WorldFileError) as error:
        load(crm.hubspot, read_world(path)) if crm else read_world(path)
    return error.value.problems


def test_rows_become_records_with_typed_properties(folder: Path, empty: FakeCrm) -> None:
    load(empty.hubspot, read_world(folder / "world.toml"))
    acme, smith = properties(empty, "companies")
    assert ("Acme", "2822", "00123", "1996-05-01", "tech") == tuple(
        acme[name] for name in ("name", "numberofemployees", "zip_code", "founded", "sector")
    )
    assert ("Smith, Sons & Co", None) == (smith["name"], smith["numberofemployees"])
    defined = empty.hubspot.store("companies").properties
    assert ["string", "date", "enumeration", "Zip Code"] == [
        defined["zip_code"].type,
        defined["founded"].type,
        defined["sector"].type,
        defined["zip_code"].label,
    ]
    assert (("tech", "tech"), ("retail", "retail")) == defined["sector"].options


def test_owners_stages_and_dates_come_from_columns(folder: Path, empty: FakeCrm) -> None:
    load(empty.hubspot, read_world(folder / "world.toml"))
    one, two, three = properties(empty, "deals")
    owners = {str(each.number): f"{each.first_name}|{each.last_name}" for each in empty.hubspot.owners.values()}
    assert ["Moses|Frase", "Ada|de Vries", "Moses|Frase"] == [
        owners[each["hubspot_owner_id"]] for each in (one, two, three)
    ]
    assert ("1054.50", "2017-03-01T00:00:00.000Z", "won", "default") == tuple(
        one[name] for name in ("amount", "closedate", "dealstage", "pipeline")
    )
    assert (None, None, "MG") == (two["amount"], two["closedate"], two["product"])
    (pipeline,) = empty.hubspot.pipelines["deals"]
    closed = {stage.label: (stage.metadata["isClosed"], stage.metadata["probability"]) for stage in pipeline.stages}
    assert {"Won": ("true", "1.0"), "Engaging": ("false", "0.5"), "Lost": ("true", "0.0")} == closed
    assert ("Europe/Berlin", "EUR") == (empty.hubspot.account.time_zone, empty.hubspot.account.currency)


def test_associations_are_found_by_a_property_and_empty_stays_empty(
    folder: Path, empty: FakeCrm, client_of: Any
) -> None:
    load(empty.hubspot, read_world(folder / "world.toml"))
    rows = client_of(empty).get("/crm/v3/objects/deals", associations="companies").json()["results"]
    linked = [
        {link["id"] for link in row.get("associations", {}).get("companies", {}).get("results", [])} for row in rows
    ]
    assert [{"91"}, set(), {"92"}] == linked
    assert [None] == [row["account"] for row in properties(empty, "deals") if row["dealname"] == "A2"]


def test_stamps_may_come_from_columns(tmp_path: Path, empty: FakeCrm) -> None:
    (tmp_path / "c.csv").write_text("lastname,made,seen\nA,2020-01-01,2021-06-01T10:00:00+02:00\n", "utf-8")
    (tmp_path / "w.toml").write_text('[objects.contacts]\nfile="c.csv"\ncreated="made"\nmodified="seen"\n', "utf-8")
    load(empty.hubspot, read_world(tmp_path / "w.toml"))
    (row,) = empty.hubspot.records("contacts")
    assert ("2020-01-01T00:00:00.000Z", "2021-06-01T08:00:00.000Z") == (row["createdAt"], row["updatedAt"])


def test_json_lines_keep_numbers_exactly(tmp_path: Path, empty: FakeCrm) -> None:
    lines = '{"Name": "A\\u2028B", "score": 1.10, "ok": true, "tags": ["x"]}\n\n{"Name": "C", "score": 2}\n'
    (tmp_path / "c.jsonl").write_text(lines, "utf-8")
    load(empty.hubspot, quick_world(["companies=c.jsonl"], tmp_path))
    first, second = properties(empty, "companies")
    assert ("A\u2028B", "1.10", "true", '["x"]') == tuple(first[name] for name in ("name", "score", "ok", "tags"))
    assert ("2", None) == (second["score"], second["ok"])
    assert ["number", "bool"] == [empty.hubspot.store("companies").properties[name].type for name in ("score", "ok")]


def test_the_short_form_needs_no_world_file(folder: Path, empty: FakeCrm) -> None:
    load(empty.hubspot, quick_world(["companies=accounts.csv", "0-3=pipeline.csv"], folder, "%m/%d/%Y"))
    assert (2, 3) == (len(properties(empty, "companies")), len(properties(empty, "deals")))
    assert "2017-03-01" == properties(empty, "deals")[0]["close_date"]


def test_every_problem_of_a_world_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "w.toml").write_text(
        'title = "x"\n[objects.butterflies]\nfile = "a.csv"\n[objects.deals]\nnam = "x"\nowner = 5\n'
        'types = { a = "integer" }\nassociations = { companies = { column = "x", missing = "no" } }\n',
        "utf-8",
    )
    found = problems(tmp_path / "w.toml")
    wanted = [
        "'title'",
        "'butterflies'",
        "'nam'",
        "owner: must be text",
        "'integer'",
        "file is missing",
        "column and property",
    ]
    assert [True] * len(wanted) == [any(part in problem for problem in found) for part in wanted]
    assert len(wanted) == len(found)


def test_every_problem_of_the_rows_is_told_with_its_line(folder: Path, empty: FakeCrm) -> None:
    text = PIPELINE.replace("3/1/2017", "13/45/2017").replace("1054.50", "dear").replace(",0\n", ",zero\n")
    (folder / "pipeline.csv").write_text(text, "utf-8")
    first, second = problems(folder / "world.toml", empty)
    assert first.startswith("pipeline.csv line 2: close_date: ")
    assert "close_value: 'dear' is no number" in first
    assert second == "pipeline.csv line 4: close_value: 'zero' is no number (INVALID_INTEGER)"


def test_an_unknown_association_is_a_problem_unless_ignored(folder: Path, empty: FakeCrm) -> None:
    (folder / "pipeline.csv").write_text(PIPELINE.replace("Acme", "Acmee"), "utf-8")
    (found,) = problems(folder / "world.toml", empty)
    assert "pipeline.csv line 2: no companies has name 'Acmee'" in found
    text = WORLD.replace('property = "name"', 'property = "name", missing = "ignore"')
    (folder / "world.toml").write_text(text, "utf-8")
    with FakeCrm(contacts=0, companies=0, deals=0, tickets=0) as crm:
        load(crm.hubspot, read_world(folder / "world.toml"))
        assert 3 == len(properties(crm, "deals"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the header is empty"),
        (b"name,name\na,b\n", "column twice: name"),
        (b"name,b\na\n", "line 2: 1 cells under 2 columns"),
        (b"name\nM\xfcller\n", "not UTF-8"),
        (b'name,b\n"a,b\n', "unexpected end of data"),
        (b"createdate\n2020-01-01\n", "is set by HubSpot"),
        (b"a b,a-b\n1,2\n", "would all be the property 'a_b'"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path: Path, empty: FakeCrm, text: bytes, reason: str) -> None:
    (tmp_path / "c.csv").write_bytes(text)
    with pytest.raises(WorldFileError, match=reason):
        load(empty.hubspot, quick_world(["companies=c.csv"], tmp_path))


def test_missing_files_and_columns_are_told_together(tmp_path: Path, empty: FakeCrm) -> None:
    (tmp_path / "c.csv").write_text("name\nA\n", "utf-8")
    text = '[objects.companies]\nfile="c.csv"\nowner="agent"\n[objects.deals]\nfile="none.csv"\n'
    (tmp_path / "w.toml").write_text(text, "utf-8")
    found = problems(tmp_path / "w.toml", empty)
    assert ["c.csv: no column 'agent'; it has name", "there is no such file"] == [found[0], found[1].split(": ")[-1]]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2.50"], "number"),
        (["007", "1"], "string"),
        (["1e5"], "string"),
        (["true", "false"], "bool"),
        (["0", "1"], "number"),
        (["2024-01-31"], "date"),
        (["1/2/2024"], "string"),
        (["2024-01-31T10:00:00Z"], "datetime"),
        ([], "string"),
    ],
)
def test_types_are_guessed_only_when_sure(values: list[str], kind: str) -> None:
    assert kind == guess(values)


@pytest.mark.parametrize(
    ("header", "name"), [("Close Value (€)", "close_value"), ("2nd", "c_2nd"), ("Größe", "groe"), ("%", "column")]
)
def test_headers_become_property_names(header: str, name: str) -> None:
    assert name.replace("groe", slug("Größe")) == slug(header)
