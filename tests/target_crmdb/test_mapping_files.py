"""Mapping files: those that are shipped hold, and all faults of a user's own are told at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmdb_core.exits import ConfigError
from target_crmdb import TargetCrmdb
from target_crmdb.cli.access import Access
from target_crmdb.mapping import dotted
from target_crmdb.mapping.paths import MISSING, PathError, parse_path
from target_crmdb.mapping.reading import load_mapping, shipped_model, shipped_sources
from target_crmdb.validation.fields import COLUMN_TYPES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("source", sorted(shipped_sources()))
def test_a_shipped_mapping_holds(source: str) -> None:
    assert load_mapping(source).streams


@pytest.mark.parametrize(
    ("source", "entities"),
    [
        (
            "hubspot",
            "activities associations companies contacts deals line_items owners pipelines products stages",
        ),
        ("salesforce", "activities associations companies contacts deals line_items owners products stages"),
        ("pipedrive", "activities companies contacts deals line_items owners pipelines products stages"),
        ("csv", "activities associations companies contacts deals line_items owners pipelines products stages"),
    ],
)
def test_a_crm_fills_all_that_it_has(source: str, entities: str) -> None:
    streams = load_mapping(source).streams.values()
    assert set(entities.split()) == {one.entity for one in streams}
    assert source == "hubspot" or any(one.links for one in streams)


def test_every_field_of_the_model_is_said_in_words_and_filled_by_some_crm() -> None:
    entities = shipped_model().entities.values()
    assert [] == [
        f"{entity.name}.{field.name}"
        for entity in entities
        for field in entity.fields.values()
        if not field.description
    ]
    streams = [stream for source in shipped_sources() for stream in load_mapping(source).streams.values()]
    filled = {(one.entity, field.field) for one in streams for field in one.fields}
    filled |= {(one.entity, name) for one in streams for name, _ in one.constants}
    assert set() == {(entity.name, name) for entity in entities for name in entity.fields} - filled


def test_a_source_without_a_file_has_no_mapping() -> None:
    assert {} == load_mapping("something_else").streams
    assert {} == load_mapping("../secrets").streams


def test_all_faults_are_told_with_line_and_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        """\
spreads: properties
model:
  contacts:
    fields:
      shoe_size: {type: decimals}
      email: {type: text}
streams:
  contacts:
    entity: contact
  people:
    entity: contacts
    fields:
      a..b: email
      mail: emial
      born: {field: birth_date, type: text}
      born: birth_date
      phone: {field: phone, county: DE}
      size: {field: email_opt_out, factor: 2}
  things:
    entity: deals
    id: id
    constants: {amounts: 1}
    links: {company: firms}
""",
        "utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load_mapping("mine", str(file))
    head, *lines = str(raised.value).splitlines()
    assert f"The mapping file {file} has 13 faults" in head
    expected = [
        "line 1: spreads: is unknown; did you mean spread?",
        "line 5: model.contacts.fields.shoe_size.type: decimals is unknown; did you mean decimal?",
        "line 6: model.contacts.fields.email: is email already",
        "line 9: streams.contacts.entity: contact is unknown; did you mean contacts?",
        "line 11: streams.people.id: must be the path of the record's id",
        "line 13: streams.people.fields.a..b: a..b is no path",
        "line 14: streams.people.fields.mail.field: emial is unknown; did you mean email?",
        "line 16: streams.people.fields.born: stands here a second time",
        "line 17: streams.people.fields.phone: type phone takes no option county",
        "line 18: streams.people.fields.size.factor: must be a number",
        "line 22: streams.things.constants.amounts: is unknown; did you mean amount?",
        "line 23: streams.things.links.company: firms is unknown",
    ]
    missing = [start for start in expected if not any(line.startswith(start) for line in lines)]
    assert [] == missing, "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a: [", "is not YAML"), ("- a\n- b\n", "must be a mapping"), ("streams: 5", "must be a mapping")],
)
def test_what_is_no_mapping_is_told(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=reason):
        load_mapping("mine", str(file))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_mapping("mine", str(tmp_path / "nothing.yaml"))


def test_the_setting_takes_an_object_json_or_a_path(tmp_path: Path) -> None:
    own = {"streams": {"people": {"entity": "contacts", "id": "key"}}}
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps(own), "utf-8")
    given_as: list[Any] = [own, json.dumps(own), str(file)]
    for value in given_as:
        config = {"embedded": True, "source": "x", "mapping": value}
        assert ["people"] == list(TargetCrmdb(config=config)._mapping.streams)


def test_a_wrong_entity_hides_no_other_fault_and_makes_up_none(tmp_path: Path) -> None:
    """Neither the fields of the shipped file nor their lines are the user's faults."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        """\
streams:
  contacts:
    entity: contact
    fields:
      properties.mail: emial
      properties.bar: {field: birth_date, type: dat}
  deals:
    entity: xyz
    fields:
      properties.amount: amount
  companies:
    entity: deals
""",
        "utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load_mapping("hubspot", str(file))
    told = str(raised.value).splitlines()[1:]
    mine = [line for line in told if line.startswith("line ")]
    assert [
        "line 3: streams.contacts.entity: contact is unknown; did you mean contacts?",
        "line 5: streams.contacts.fields.properties.mail.field: emial is unknown; did you mean email?",
        "line 6: streams.contacts.fields.properties.bar.type: dat is unknown; did you mean date?",
    ] == mine[:3]
    assert 4 == len(mine), mine
    assert mine[3].startswith("line 8: streams.deals.entity: xyz is unknown; known are: activities")
    others = [line for line in told if line not in mine]
    assert others, "fields of the shipped mapping that the entity of this file lacks"
    assert all(line.startswith("streams.companies.fields.") for line in others)


def test_a_path_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TARGET_CRMDB_HOST", "nowhere")
    monkeypatch.setenv("TARGET_CRMDB_USER", "u")
    monkeypatch.setenv("TARGET_CRMDB_PASSWORD", "p")
    monkeypatch.setenv("TARGET_CRMDB_DATABASE", "d")
    monkeypatch.setenv("TARGET_CRMDB_MAPPING", str(tmp_path / "mine.yaml"))
    (tmp_path / "mine.yaml").write_text("streams: {}", "utf-8")
    assert str(tmp_path / "mine.yaml") == Access([]).config["mapping"]
    assert str(tmp_path / "mine.yaml") == TargetCrmdb(parse_env_config=True).config["mapping"]
    monkeypatch.setenv("TARGET_CRMDB_VALIDATION", "strict, please")
    with pytest.raises(ConfigError, match="write objects and lists as JSON"):
        _ = Access([]).config


def test_faults_of_the_setting_come_before_anything_is_connected() -> None:
    connection = {"host": "nowhere.invalid", "user": "x", "database": "x"}
    with pytest.raises(ConfigError, match="did you mean contacts"):
        TargetCrmdb(config={**connection, "mapping": {"streams": {"a": {"entity": "contact"}}}})


def test_a_path_of_ones_own_takes_the_place_of_the_shipped_ones() -> None:
    own = json.dumps({"streams": {"contacts": {"fields": {"properties.work": "email", "properties.phone": None}}}})
    fields = {one.path.text: one.field for one in load_mapping("hubspot", own).streams["contacts"].fields}
    assert "email" == fields["properties.work"]
    assert not {"properties.email", "properties.phone"} & fields.keys()
    assert "first_name" == fields["properties.firstname"]


def test_a_stream_can_be_taken_out() -> None:
    own = json.dumps({"streams": {"contacts": None}})
    assert "contacts" not in load_mapping("hubspot", own).streams


@pytest.mark.parametrize(
    ("path", "record", "value"),
    [
        ("a", {"a": 1}, 1),
        ("a", {}, MISSING),
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": {}}, None),
        ("a.b", {"a": None}, None),
        (r"a\.b", {"a.b": 1}, 1),
        ("a[0].v", {"a": [{"v": 1}]}, 1),
        ("a[1].v", {"a": [{"v": 1}]}, None),
        ("a[main].v", {"a": [{"v": 1}, {"v": 2, "main": True}]}, 2),
        ("a[main].v", {"a": [{"v": 1}, {"v": 2}]}, 1),
        ("a[main].v", {"a": []}, None),
    ],
)
def test_paths_lead_to_values(path: str, record: Any, value: Any) -> None:
    assert value == parse_path(path).of(record)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "[0]", "a[", "a]", "a[]", "a[0]b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        parse_path(text)


@given(st.lists(st.text(st.characters(exclude_characters="[]"), min_size=1), min_size=1, max_size=4))
def test_any_names_can_be_written_as_a_path(names: list[str]) -> None:
    assert tuple(names) == parse_path(dotted(tuple(names))).names


def test_the_types_of_the_model_are_those_of_the_validators() -> None:
    types = {field.type for entity in shipped_model().entities.values() for field in entity.fields.values()}
    assert types <= COLUMN_TYPES.keys()
