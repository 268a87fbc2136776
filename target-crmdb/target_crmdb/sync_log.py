"""What a run says of each stream: beginning, end, values and records that something is wrong with.

The lines have the forms of the architecture guide. Values are masked unless asked for; of lines that differ only in
record and value the first few are shown, and the rest is counted at the end.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from target_crmdb.counts import Counts
from target_crmdb.issues import RowIssue
from target_crmdb.mapping import StreamMapping
from target_crmdb.mapping.paths import MISSING, PathError, parse_path
from target_crmdb.rejects import Reject

_logger = logging.getLogger(__name__)
_SHOWN = 3
_MASK = "…"
# ids that CRMs give; a key of another kind may be somebody's name or address
_is_id = re.compile(
    r"\d{1,20}|(?=\w*\d)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    re.ASCII,
).fullmatch
_PARSED: Mapping[str, str] = {
    "not_number": "decimal",
    "not_integer": "integer",
    "out_of_range": "number",
    "not_boolean": "boolean",
    "invalid_date": "date",
    "invalid_datetime": "datetime",
}


@dataclass(frozen=True)
class _Stream:
    """A stream's own name, which records are, and where their pages are found."""

    name: str
    says: StreamMapping | None
    base_url: str | None


class SyncLog:
    """The lines of one run."""

    def __init__(self, source: str, *, shows_values: bool) -> None:
        self._source = source
        self._shows_values = shows_values
        self._streams: dict[str, _Stream] = {}
        self._started: set[str] = set()
        self._told: Counter[tuple[str, ...]] = Counter()

    def know(self, name: str, says: StreamMapping | None, base_url: str | None) -> None:
        """Take what is known of a stream."""
        self._streams[name] = _Stream(name, says, base_url)

    def started(self, stream: str, expected: int | None) -> None:
        """Say once that a stream's first records are here."""
        if stream not in self._started:
            self._started.add(stream)
            number = "an unknown number of" if expected is None else str(expected)
            _logger.info("Starting %s %s sync with %s records", self._source, stream, number)

    def ended(self, counts: Mapping[str, Counts], *, is_complete: bool) -> None:
        """Say what was not told one by one and, of a run that is complete, what became of each stream's records."""
        self._told_in_all()
        for stream, one in counts.items() if is_complete else ():
            more = f", {one.deleted} deleted" if one.deleted else ""
            _logger.info(
                "Completed %s %s sync: %d created, %d updated, %d failed%s",
                *(self._source, stream, one.created, one.updated, one.rejected, more),
            )

    def issues(self, stream: str, found: Sequence[RowIssue]) -> None:
        """Warn of values and records that are loaded all the same."""
        for one in found:
            if self._is_told("issue", stream, one.issue.field, one.issue.rule):
                self._issue(one)

    def _issue(self, one: RowIssue) -> None:
        issue, key = one.issue, _key(one.key)
        if not issue.field:
            _logger.warning("Validation warning for rule '%s' (Record: id=%s): %s", issue.rule, key, issue.reason)
        elif issue.rule in _PARSED:
            _logger.warning(
                "Failed to parse %s value: '%s' in field '%s' for %s %s",
                *(_PARSED[issue.rule], self._value(issue.original), issue.field, self._source, key),
            )
        else:
            _logger.warning(
                "Validation warning for field '%s' with value '%s' (Record: id=%s): %s",
                *(issue.field, self._value(issue.original), key, issue.reason),
            )

    def rejects(self, found: Sequence[Reject]) -> None:
        """Tell of records that were not loaded."""
        for one in found:
            if self._is_told("reject", one.stream or "", one.field or "", one.error_class):
                parts = (("field", one.field), ("class", one.error_class), ("stage", one.stage), ("line", one.line))
                _logger.error(
                    "Error processing %s %s: %s - CRM URL: %s - Context: %s",
                    *(one.stream or "a line", _key_of(one.key), one.reason, self._url(one)),
                    ", ".join(f"{name}={value}" for name, value in parts if value is not None),
                )

    def _is_told(self, *line: str) -> bool:
        self._told[line] += 1
        return self._told[line] <= _SHOWN

    def _told_in_all(self) -> None:
        for (kind, stream, field, rule), number in sorted(self._told.items()):
            if number > _SHOWN:
                place = f" in field '{field}'" if field else ""
                said = "records were rejected" if kind == "reject" else "warnings"
                _logger.warning("%s: %d more %s for '%s'%s", stream or "Lines", number - _SHOWN, said, rule, place)
        self._told.clear()

    def _value(self, value: Any) -> str:
        return str(value) if self._shows_values else _MASK

    def _url(self, reject: Reject) -> str:
        """Give the page of a record in its CRM, if it has one that is known."""
        stream = self._streams.get(reject.stream or "")
        template = stream.says.url if stream and stream.says else None
        if stream is None or template is None:
            return "unknown"
        try:
            record = msgspec.json.decode(reject.payload.encode(), type=dict[str, Any]).get("record")
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return "unknown"
        return _filled(template, stream.base_url, record if isinstance(record, dict) else {}) or "unknown"


def _filled(template: str, base_url: str | None, record: Mapping[str, Any]) -> str | None:
    """Fill a template such as `{base_url}/{Id}`, or take the field that it names."""
    if "{" not in template:
        return _of(template, record)
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        known = (base_url or "").rstrip("/") if match[1] == "base_url" else _of(match[1], record)
        missing |= not known
        return known or ""

    text = re.sub(r"\{([^}]*)\}", value, template)
    return None if missing else text


def _of(path: str, record: Mapping[str, Any]) -> str | None:
    try:
        value = parse_path(path).of(record)
    except PathError:
        return None
    return str(value) if value is not MISSING and isinstance(value, str | int) else None


def _key(parts: Sequence[Any]) -> str:
    texts = [str(part) for part in parts]
    return ":".join(text if _is_id(text) else _MASK for text in texts) or "none"


def _key_of(text: str | None) -> str:
    try:
        parts = json.loads(text) if text else []
    except ValueError:
        return _MASK
    return _key(parts) if isinstance(parts, list) else _MASK
