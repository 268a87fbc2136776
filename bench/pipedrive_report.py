"""What a run of `bench/tap_pipedrive.py` found, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.goals import Goal
from bench.pipedrive_race import IDEAL, OURS, SINGER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.pipedrive_race import Race

_LESS_TOKENS, _LESS_PRODUCTS, _FASTER, _NEAR = 5, 100, 8, 1.5


def pipedrive_report(race: Race) -> list[str]:
    """Markdown: every run, then the goals."""
    lines = [f"- LEFT OUT, cannot be installed here: {name}: {why}" for name, why in race.left_out.items()]
    lines += ["", "| contest | contender | deals | seconds | calls | tokens | 429s | deals lost |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for one in race.attempts:
        took = one.failure or f"{one.seconds:.1f}"
        cells = (one.contest, one.contender, f"{one.deals:,}", took, f"{one.calls:,}", f"{one.tokens:,}")
        lines.append(f"| {' | '.join(cells)} | {one.refused} | {one.lost:,} |")
    lines += ["", f"| goal of {OURS} | found | |", "|---|---|---|"]
    return [*lines, *(f"| {goal.says} | {goal.found} | {goal.verdict} |" for goal in _goals(race))]


def _goals(race: Race) -> Iterator[Goal]:
    lost = sum(one.lost for one in race.attempts if one.contender == OURS)
    theirs_lost = sum(one.lost for one in race.attempts if one.contender == SINGER)
    yield Goal("no row lost", f"{lost} (singer-io's: {theirs_lost:,})", lost == 0)
    for contest in ("lists", "products"):
        ours, ideal = (race.median_of(contest, name, "seconds") for name in (OURS, IDEAL))
        if ours and ideal:
            yield Goal(
                f"{contest}: at most {_NEAR} times the ideal client's time",
                f"{ours / ideal:.2f}",
                ours <= _NEAR * ideal,
            )
    yield from _against_singer(race)


def _against_singer(race: Race) -> Iterator[Goal]:
    small = race.options.peer_deals
    figures = {}
    for what in ("tokens", "seconds"):
        lists = race.median_of("lists", SINGER, what)
        products = race.median_of("products", SINGER, what, small)
        ours = [race.median_of(contest, OURS, what) for contest in ("lists", "products")]
        if lists is None or products is None or None in ours:
            return
        # its calls for products are one for each deal, so they grow as the deals do
        grown = products * race.options.deals / small
        figures[what] = (lists, grown, *(each or 0.0 for each in ours))
    lists, grown, our_lists, our_products = figures["tokens"]
    ratio = (lists + grown) / (our_lists + our_products)
    yield Goal(f"a {_LESS_TOKENS}th of its tokens for the same streams", f"a {ratio:.0f}th", ratio >= _LESS_TOKENS)
    yield Goal("… lists alone (it asks for 100 rows a page, ours for 500)", f"a {lists / our_lists:.1f}th", None)
    ratio = grown / our_products
    yield Goal(f"products of deals: a {_LESS_PRODUCTS}th", f"a {ratio:.0f}th", ratio >= _LESS_PRODUCTS)
    lists, grown, our_lists, our_products = figures["seconds"]
    ratio = (lists + grown) / (our_lists + our_products)
    yield Goal(f"{_FASTER} times as fast for the same streams", f"{ratio:.0f} times", ratio >= _FASTER)
