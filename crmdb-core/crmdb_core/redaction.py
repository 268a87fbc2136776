"""Secrets and tokens out of every log line, at every level, exception text included."""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

__all__ = ["Redactor", "current", "install", "register", "secrets_of"]

MASK = "***"
_SHORTEST = 4
"""A shorter "secret" would blot out half of every line; such values are not registered."""

_TOKENS = (
    # Authorization: Bearer x | 'Authorization': 'Basic x' | "authorization": "x"
    (
        re.compile(r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s\"',}]+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{MASK}"),
    # ?access_token=x in URLs and form bodies
    (
        re.compile(
            r"(?i)([?&\s\"']|^)((?:api_?token|access_?token|refresh_?token|hapikey|api_?key|client_?secret|password|signature|sig)=)"
            r"[^&\s\"']+",
        ),
        rf"\1\2{MASK}",
    ),
    # https://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@"), rf"\1{MASK}@"),
)

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}


class Redactor(logging.Filter):
    """Replaces every registered secret, in every spelling, by `***`; a logging filter and a text function."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Register more secrets (a refreshed token); thread-safe."""
        with self._lock:
            fresh = self._secrets | {secret for secret in secrets if len(secret) >= _SHORTEST}
            if fresh == self._secrets:
                return
            self._secrets = fresh
            spellings = {spelling for secret in fresh for spelling in _spellings(secret)}
            longest_first = sorted(spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(_pattern, longest_first)))

    def redact(self, text: str) -> str:
        """Return the text without secrets, authorization headers and tokens in URLs."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        for pattern, replacement in _TOKENS:
            text = pattern.sub(replacement, text)
        return text

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Redact message, arguments, exception text and extra fields of a record; always lets it pass."""
        self._redact_message(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        for name, value in vars(record).items():
            if name not in _STANDARD and isinstance(value, str):
                setattr(record, name, self.redact(value))
        return True

    def _redact_message(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = str(record.msg)
        redacted = self.redact(message)
        if redacted != message:  # else keep the arguments: metrics are read from them
            record.msg, record.args = redacted, ()


class _RedactingFormatter(logging.Formatter):
    """The last line of defence: redacts what a handler's own formatter made of a record."""

    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self.inner = inner
        self.redactor = redactor

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self.redactor.redact(self.inner.format(record))


def install(secrets: Iterable[str] = ()) -> Redactor:
    """Redact on the root logger, every handler there is and both excepthooks; call again after adding handlers."""
    redactor = current() or Redactor()
    redactor.add(secrets)
    root = logging.getLogger()
    if redactor not in root.filters:
        root.addFilter(redactor)
    for handler in _all_handlers():
        if redactor not in handler.filters:
            handler.addFilter(redactor)
        if not isinstance(handler.formatter, _RedactingFormatter):
            handler.setFormatter(_RedactingFormatter(handler.formatter or logging.Formatter(), redactor))
    _install_hooks(redactor)
    return redactor


def current() -> Redactor | None:
    """The installed redactor, if any."""
    return next((item for item in logging.getLogger().filters if isinstance(item, Redactor)), None)


def register(*secrets: str) -> None:
    """Add secrets that came up during the run (refreshed tokens) to the installed redactor."""
    (current() or install()).add(secrets)


def uninstall() -> None:
    """Take the redactor away again (tests)."""
    redactor = current()
    if redactor is None:
        return
    logging.getLogger().removeFilter(redactor)
    for handler in _all_handlers():
        handler.removeFilter(redactor)
        if isinstance(handler.formatter, _RedactingFormatter):
            handler.setFormatter(handler.formatter.inner)
    sys.excepthook = sys.__excepthook__
    threading.excepthook = threading.__excepthook__


def secrets_of(config: Mapping[str, Any], config_jsonschema: Mapping[str, Any]) -> list[str]:
    """Values of all settings that the schema marks secret, at any depth."""
    found: list[str] = []
    for name, schema in config_jsonschema.get("properties", {}).items():
        value = config.get(name)
        if value is None:
            continue
        if schema.get("secret") or schema.get("writeOnly"):
            found.extend(_texts(value))
        elif isinstance(value, dict):
            found.extend(secrets_of(value, schema))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


def _all_handlers() -> Iterator[logging.Handler]:
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            yield from logger.handlers
    if logging.lastResort is not None:
        yield logging.lastResort


def _install_hooks(redactor: Redactor) -> None:
    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(redactor.redact("".join(traceback.format_exception(kind, error, trace))))

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            excepthook(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = excepthook
    threading.excepthook = thread_hook


def _pattern(spelling: str) -> str:
    """A pattern for the spelling; percent-escapes come in either case."""
    return re.sub("%[0-9A-F]{2}", lambda match: f"(?i:{match.group()})", re.escape(spelling))


def _spellings(secret: str) -> set[str]:
    """Every form in which a secret may turn up in a log: raw, escaped, percent-encoded, base64."""
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    forms = {secret, *quoted, *escaped, *_base64_forms(secret.encode(errors="surrogatepass"))}
    return {form for form in forms if len(form) >= _SHORTEST}


def _base64_forms(secret: bytes) -> Iterator[str]:
    """The secret's base64 at each of the three alignments it can have inside a longer text (`user:secret`)."""
    if len(secret) < 2 * _SHORTEST:
        return
    for offset, partial in ((0, 0), (1, 2), (2, 3)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * offset + secret).decode()
            unpadded = text.rstrip("=")
            # the last character mixes in what follows the secret unless its bits end there
            yield unpadded[partial : len(unpadded) - (unpadded != text)]
    yield base64.b64encode(secret).decode()
