"""`--check` and `--plan`: what the credentials may read, and what a run would cost, before anything is read."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError, ConfigError, ForbiddenError, SyncFailedError, TryLaterError
from crmdb_core.exits import describe
from crmdb_core.tables import aligned, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crmdb_core.forecast import Forecast
    from crmdb_core.stream import CrmStream
    from crmdb_core.tap import CrmTap

__all__ = ["inspect", "options"]

_SIDE_BY_SIDE = 8
_FORMS = ("text", "json")
_CALLS = "calls"
_CALLS_AT_START = 1
"""The account, whose answer tells the server's clock."""

Answer = TypeVar("Answer")
Json: TypeAlias = dict[str, Any]


def options() -> list[click.Option]:
    """The options of the command line; each takes the form of its answer as an optional value."""
    texts = {
        "check": "Say which of the selected streams the credentials may read, by one or two calls each; read nothing.",
        "plan": "Say how many records and calls a run would take, by one or two calls per stream; read nothing.",
    }
    return [
        click.Option([f"--{name}"], is_flag=False, flag_value=_FORMS[0], type=click.Choice(_FORMS), help=text)
        for name, text in texts.items()
    ]


def inspect(tap: CrmTap, *, check: str | None, plan: str | None) -> None:
    """Do what the options ask for, and print it; raises what makes the exit code."""
    if check and plan:
        raise click.UsageError("--check and --plan exclude each other")
    if check:
        _check(tap, as_json=check == "json")
    elif plan:
        _plan(tap, as_json=plan == "json")


@dataclass(frozen=True)
class _Refused:
    """A stream that cannot be read now, and which scopes would open it (any one of them)."""

    error: Exception
    scopes: tuple[str, ...] = ()

    @property
    def is_forbidden(self) -> bool:
        return isinstance(self.error, ForbiddenError)

    @property
    def word(self) -> str:
        return "forbidden" if self.is_forbidden else "failed"

    @property
    def reason(self) -> str:
        return f"add any one of: {', '.join(self.scopes)}" if self.scopes else describe(self.error)


def _look(tap: CrmTap, ask: Callable[[CrmStream], Answer]) -> dict[str, Answer | _Refused]:
    """What `ask` answers for each selected stream, asked side by side; what hits all streams is raised."""
    if not tap.session.clock_is_known:
        tap.probe()
    streams = tap.selected_streams
    for stream in streams:
        _ = stream.window  # here, for it may change the tap's state

    def asked(stream: CrmStream) -> tuple[str, Answer | _Refused]:
        try:
            with tap.session.counting(stream.name):
                return stream.name, ask(stream)
        except Exception as error:
            if getattr(error, "stops_run", False):
                raise
            return stream.name, _Refused(error, tap.scopes_for(error))

    left_out = {name: _left_out(tap, name, error) for name, error in tap.left_out.items()}
    return dict(sorted({**left_out, **dict(in_order(asked, streams, workers=_SIDE_BY_SIDE))}.items()))


def _left_out(tap: CrmTap, name: str, error: Exception) -> _Refused:
    """A stream that discovery left out; what it would need beside that is asked for too, lest it fails there next."""
    scopes = tap.scopes_for(error)
    try:
        tap.check_left_out(name)
    except ForbiddenError as second:
        more = tap.scopes_for(second)
        scopes = tuple(scope for scope in scopes if scope in more) or scopes
    except ApiError:
        pass  # no such object, or the call is not open just now: what discovery met is told
    return _Refused(error, scopes)


def _refuse(tap: CrmTap, found: Mapping[str, Any]) -> None:
    """Raise for streams that a run could not read."""
    refused = {name: one for name, one in found.items() if isinstance(one, _Refused)}
    forbidden = [name for name, one in refused.items() if one.is_forbidden]
    failed = {name: one.error for name, one in refused.items() if not one.is_forbidden}
    if forbidden and not tap.config.get("skip_forbidden"):
        raise ConfigError(
            f"{len(forbidden)} of {len(found)} selected streams may not be read: {', '.join(forbidden)}; "
            "grant what is missing, deselect them, or set skip_forbidden"
        )
    if failed:
        raise SyncFailedError(f"{len(failed)} of {len(found)} selected streams failed: {', '.join(failed)}", failed)


# --check


def _check(tap: CrmTap, *, as_json: bool) -> None:
    found = _look(tap, lambda stream: stream.check())
    facts = tap.account_facts()
    if as_json:
        streams = [{"stream": name, **_access(answer)} for name, answer in found.items()]
        _print(json.dumps({"account": facts, "streams": streams, "calls": tap.session.stats.calls}, indent=2))
    else:
        shown = ((name.replace("_", " "), text) for name, text in facts.items())
        _print(*aligned(shown), "", *aligned(_check_rows(found)), "", _check_summary(tap, found))
    _refuse(tap, found)


def _access(answer: _Refused | None) -> Json:
    if answer is None:
        return {"access": "open"}
    return {"access": answer.word, "any_of": list(answer.scopes), "reason": describe(answer.error)}


def _check_rows(found: Mapping[str, _Refused | None]) -> Iterator[tuple[str, ...]]:
    yield "stream", "access", ""
    for name, answer in found.items():
        yield (name, "open", "") if answer is None else (name, answer.word.upper(), answer.reason)


def _check_summary(tap: CrmTap, found: Mapping[str, _Refused | None]) -> str:
    words = Counter("open" if answer is None else answer.word for answer in found.values())
    calls = tap.session.stats.calls
    counts = ", ".join(f"{count} {word}" for word, count in words.items()) or "no stream is selected"
    return f"{counts}; {calls} calls; {tap.session.quota.describe()}"


# --plan


def _plan(tap: CrmTap, *, as_json: bool) -> None:
    found = _look(tap, lambda stream: stream.forecast())
    known = [answer for answer in found.values() if answer is not None and not isinstance(answer, _Refused)]
    calls = Counter({"default": _CALLS_AT_START})
    for forecast in known:
        calls.update(forecast.calls)
    cost = tap.cost_at_start + sum(forecast.cost_in_all for forecast in known)
    if as_json:
        _print(json.dumps(_plan_json(tap, found, calls, cost), indent=2))
    else:
        unit = tap.session.quota.unit
        numbers = (1, 2) if unit == _CALLS else (1, 2, 3)
        _print(*aligned(_plan_rows(found, unit), right=numbers), "", _plan_summary(tap, found, calls, cost))
    _refuse(tap, found)
    _fit(tap, cost)


def _plan_rows(found: Mapping[str, Forecast | _Refused | None], unit: str) -> Iterator[tuple[str, ...]]:
    """A line for each stream; what the calls cost has a column of its own where it is not their number."""
    costs = unit != _CALLS
    yield "stream", "records", _CALLS, *([unit] if costs else []), ""
    for name, answer in found.items():
        if answer is None:
            yield name, "unknown", "unknown", *(["unknown"] if costs else []), ""
        elif isinstance(answer, _Refused):
            yield name, "", "", *([""] if costs else []), f"{answer.word.upper()}: {answer.reason}"
        else:
            records = "unknown" if answer.records is None else f"{answer.records:,}"
            cost = [f"{answer.cost_in_all:,}"] if costs else []
            certainty = "" if answer.certainty == "exactly" else answer.certainty
            yield name, records, f"{answer.calls_in_all:,}", *cost, certainty


def _plan_summary(tap: CrmTap, found: Mapping[str, Forecast | _Refused | None], calls: Counter[str], cost: int) -> str:
    pacer = tap.session.pacer
    is_whole = all(answer is not None and getattr(answer, "certainty", "") != "at least" for answer in found.values())
    rates = [
        f"{name}: {budget.limit} per {_seconds(budget.per_seconds)}" for name, budget in pacer.rates(calls).items()
    ]
    seconds = pacer.seconds_for(calls)
    time = f"about {duration(seconds)} at the API's own limits" if seconds >= 1 else "no waiting for limits"
    unit = tap.session.quota.unit
    priced = "" if unit == _CALLS else f"{cost:,} {unit} in "
    return (
        f"needs {'about' if is_whole else 'at least'} {priced}{calls.total():,} calls "
        f"({', '.join([*rates, time])}); {tap.session.quota.describe()}"
    )


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 1 else f"{value:.2g} s"


def _plan_json(tap: CrmTap, found: Mapping[str, Forecast | _Refused | None], calls: Counter[str], cost: int) -> Json:
    quota = tap.session.quota
    return {
        "streams": [{"stream": name, **_forecast_json(answer)} for name, answer in found.items()],
        "calls": dict(calls),
        "cost": {"amount": cost, "unit": quota.unit},
        "seconds": round(tap.session.pacer.seconds_for(calls)),
        "quota": {"limit": quota.limit, "left": quota.left, "left_for_us": quota.left_for_us},
    }


def _forecast_json(answer: Forecast | _Refused | None) -> Json:
    if isinstance(answer, _Refused):
        return _access(answer)
    if answer is None:
        return {"records": None, "calls": None, "certainty": "unknown"}
    told = {"records": answer.records, "calls": dict(answer.calls), "certainty": answer.certainty}
    return told if answer.cost is None else {**told, "cost": answer.cost}


def _fit(tap: CrmTap, cost: int) -> None:
    """Raise where the run would not fit into what is left of the quota for us."""
    quota = tap.session.quota
    left = quota.left_for_us
    if left is None or cost <= left:
        return
    until = quota.resets()
    raise TryLaterError(
        f"the run needs about {cost:,} {quota.unit}, and {left:,} are left to it of today's {quota.limit:,} "
        f"({quota.rule}); {quota.reset_text(until)}. Run after that, or choose fewer streams; a run "
        "that the limit stops goes on from its STATE",
        until=until,
    )


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
