"""What a dry run found: per stream in a few lines on standard error, and in full in a JSON file."""

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from target_crmdb.counts import Counts
from target_crmdb.dry_run.masking import Mask
from target_crmdb.dry_run.shadow import Difference
from target_crmdb.exceptions import CrmdbError
from target_crmdb.rejects import Reject

_logger = logging.getLogger(__name__)
_SHOWN = 5
_UNTOLD = frozenset({"_sdc_batched_at", "_sdc_extracted_at", "_crmdb_copy"})


@dataclass
class StreamReport:
    """What would become of one stream's table; `planned` are the changes of its columns."""

    table: str
    keys: Sequence[str]
    planned: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def write_report(path: Path, streams: dict[str, StreamReport], counts: dict[str, Counts], *, values: bool) -> None:
    """Write the file, for its owner only, and tell the most of it; values are masked unless they are asked for."""
    shown: Callable[[Any], Any] = (lambda value: value) if values else Mask()
    told = {name: _stream(report, counts.get(name, Counts()), shown) for name, report in streams.items()}
    content = {"dry_run": True, "values": "shown" if values else "masked", "streams": told}
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, default=_plain)
            file.write("\n")
    except OSError as error:
        raise CrmdbError(f"The report could not be written to {path}: {error.strerror}; set dry_run_report") from error
    for name, stream in told.items():
        _tell(name, stream)
    _logger.info("Dry run: nothing was written; the report is in %s", path)


def _stream(report: StreamReport, counts: Counts, shown: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        "table": report.table,
        "columns_planned": report.planned,
        "counts": counts.as_dict(),
        "changes": [_change(one, report.keys, shown) for one in report.differences],
        "rejects": [
            {"line": one.line, "field": one.field, "class": one.error_class, "reason": one.reason}
            for one in report.rejects
        ],
    }


def _change(difference: Difference, keys: Sequence[str], shown: Callable[[Any], Any]) -> dict[str, Any]:
    before, after = difference.before or {}, difference.after or {}
    names = [name for name in (after or before) if name not in _UNTOLD and before.get(name) != after.get(name)]
    return {
        "change": _kind(difference),
        "key": {name: shown((after or before).get(name)) for name in keys},
        "fields": {name: [shown(before.get(name)), shown(after.get(name))] for name in names if name not in keys},
    }


def _kind(difference: Difference) -> str:
    if difference.before is None:
        return "created"
    after = difference.after
    gone = after is None or (after.get("_sdc_deleted_at") and not difference.before.get("_sdc_deleted_at"))
    return "deleted" if gone else "changed"


def _tell(name: str, stream: dict[str, Any]) -> None:
    counted = {name: number for name, number in stream["counts"].items() if number and name != "bytes"}
    counts = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
    _logger.info("Dry run, %s (%s): would be %s", name, stream["table"], counts or "nothing")
    for change in stream["columns_planned"]:
        _logger.info("Dry run, %s: would %s", name, change)
    for change in stream["changes"][:_SHOWN]:
        fields = "; ".join(f"{field}: {old} -> {new}" for field, (old, new) in change["fields"].items())
        key = ", ".join(f"{field} {value}" for field, value in change["key"].items())
        _logger.info("Dry run, %s: %s %s (%s)", name, change["change"], key, fields or "no field")
    for reject in stream["rejects"][:_SHOWN]:
        _logger.info("Dry run, %s: line %s rejected: %s", name, reject["line"], reject["reason"])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else repr(type(value))
