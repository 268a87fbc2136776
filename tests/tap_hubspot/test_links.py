"""Batch reads of associations: as many records a call as their links allow."""

from __future__ import annotations

from typing import Any

from tap_hubspot.links import MOST_INPUTS, MOST_LINKS, LinkRead, link_tasks
from tap_hubspot.stretches import Stretch, cut, joined

PATH = "/crm/associations/2026-09/companies/contacts/batch/read"


class ManyLinks:
    """Answers so many links for each record."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[int] = []

    def get_json(self, path: str, params: Any = None, *, bucket: str = "default") -> Any:
        raise AssertionError(f"nobody gets {path} {params} {bucket}")

    def post_json(self, path: str, body: Any, *, bucket: str = "default") -> Any:
        assert (path, bucket) == (PATH, "associations")
        self.asked.append(len(body["inputs"]))
        to = [{"toObjectId": number, "associationTypes": []} for number in range(self.count)]
        return {"results": [{"from": each, "to": to} for each in body["inputs"]]}


def ids(count: int, begin: int = 0) -> tuple[str, ...]:
    return tuple(str(number) for number in range(begin, begin + count))


def read_all(api: ManyLinks, stretches: int) -> list[Any]:
    reads = {"contacts": LinkRead(api, PATH)}
    found = []
    for number in range(stretches):
        for task in link_tasks(Stretch(ids(1000, number * 1000), {"at": number}), reads):
            found += [(row["from"]["id"], task.point) for row in reads["contacts"].first(task.ids).rows]
    return found


def test_records_with_few_links_are_asked_for_by_the_thousand() -> None:
    api = ManyLinks(3)
    assert len(read_all(api, 3)) == 3000
    assert api.asked == [MOST_INPUTS] * 3


def test_records_with_many_links_are_asked_for_in_smaller_calls() -> None:
    """An answer for a thousand of them would hold half a million links, and several are kept in memory."""
    api = ManyLinks(500)
    found = read_all(api, 3)
    assert [one for one, _ in found] == list(ids(3000))
    assert api.asked[0] == MOST_INPUTS
    assert set(api.asked[1:]) == {MOST_LINKS // 500}


def test_calls_grow_again_behind_records_with_many_links() -> None:
    api = ManyLinks(500)
    reads = {"contacts": LinkRead(api, PATH)}
    reads["contacts"].first(ids(1000))
    api.count = 0
    sizes = [len(task.ids) for task in link_tasks(Stretch(ids(100_000)), reads) if reads["contacts"].first(task.ids)]
    assert sizes[0] < MOST_INPUTS
    assert sizes[-2] == MOST_INPUTS


def test_only_the_last_call_of_a_stretch_has_its_point() -> None:
    reads = {"contacts": LinkRead(ManyLinks(500), PATH), "deals": LinkRead(ManyLinks(1), PATH)}
    reads["contacts"].first(ids(1))
    tasks = list(link_tasks(Stretch(ids(100), {"at": 1}), reads))
    assert [(task.to, len(task.ids), task.point) for task in tasks] == [
        ("contacts", 40, None),
        ("contacts", 40, None),
        ("contacts", 20, None),
        ("deals", 100, {"at": 1}),
    ]


def test_stretches_are_joined_and_cut_without_losing_an_id_or_a_point() -> None:
    given = [Stretch(ids(200, number * 200), {"at": number}) for number in range(7)]
    long = list(joined(given, 1000))
    assert [(len(each.ids), each.point) for each in long] == [(1000, {"at": 4}), (400, {"at": 6})]
    short = list(cut(given[:2], 150))
    assert [(len(each.ids), each.point) for each in short] == [
        (150, None),
        (50, {"at": 0}),
        (150, None),
        (50, {"at": 1}),
    ]
    everything = [one for each in given for one in each.ids]
    assert [one for each in long for one in each.ids] == everything
    assert [one for each in short for one in each.ids] == everything[:400]
