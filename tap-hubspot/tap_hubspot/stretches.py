"""Runs of ids as long as one call takes, each with the point from which the reading goes on behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_hubspot.forecast import calls_of_lists, chains_of
from tap_hubspot.keyset import ID
from tap_hubspot.reading import ObjectReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crmdb_core.stream import Page
    from tap_hubspot.keyset import KeysetSearch
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot


@dataclass(frozen=True)
class Stretch:
    """Ids, and where to go on behind them (None: that is not known, or nothing comes behind)."""

    ids: tuple[str, ...]
    point: Mapping[str, Any] | None = None


def workers_of(tap: TapHubSpot) -> int:
    """How many calls of a stream are under way at once; of a cut one, most of a look-ahead would be thrown away."""
    return 1 if tap.max_records is not None else int(tap.config["concurrency"])


def reader_of(tap: TapHubSpot, crm_object: CrmObject, properties: Iterable[str] = (ID,)) -> ObjectReader:
    """Reads an object type's records with no more than these properties."""
    return ObjectReader(
        tap.session,
        tap.paths,
        crm_object,
        tuple(properties),
        page_size=tap.config["page_size"],
        workers=workers_of(tap),
        parallel=tap.config["parallel_lists"],
    )


def lists_of(tap: TapHubSpot, records: int) -> dict[str, int]:
    """The calls, by bucket, of listing so many records."""
    chains = chains_of(records, workers_of(tap)) if tap.config["parallel_lists"] else 1
    return calls_of_lists(records, chains=chains)


def listed(pages: Iterable[Page]) -> Iterator[Stretch]:
    """The ids of records as they were listed."""
    for page in pages:
        yield Stretch(tuple(str(row["id"]) for row in page.rows), page.point)


def searched(search: KeysetSearch, point: Mapping[str, Any]) -> Iterator[Stretch]:
    """Ids that a search finds behind a point of its own, `{"after_id": id}`."""
    for page in search.pages(point.get("after_id")):
        yield Stretch(page.ids, {"after_id": page.ids[-1]})


def joined(stretches: Iterable[Stretch], most: int) -> Iterator[Stretch]:
    """The same ids in stretches of up to `most`, which is at least the length of each that comes in."""
    whole = Stretch(())
    for each in stretches:
        if whole.ids and len(whole.ids) + len(each.ids) > most:
            yield whole
            whole = Stretch(())
        whole = Stretch(whole.ids + each.ids, each.point)
    if whole.ids:
        yield whole


def cut(stretches: Iterable[Stretch], most: int) -> Iterator[Stretch]:
    """The same ids in stretches of up to `most`; only the last piece of one has its point."""
    for each in stretches:
        for start in range(0, len(each.ids), most):
            is_last = start + most >= len(each.ids)
            yield Stretch(each.ids[start : start + most], each.point if is_last else None)
