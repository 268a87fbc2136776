"""Contents that were fetched to look at them, kept for when they are read: a small file is fetched once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_csv_github.content import Content
    from tap_csv_github.sources.source import FoundFile, Source

__all__ = ["Contents"]

_MOST_BYTES = 16 * 1024 * 1024


class Contents:
    """Reads by way of a small store; the oldest contents make room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Content] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def sample(self, source: Source, file: FoundFile, most: int) -> Content:
        """The beginning of a file; to be closed by `done`."""
        return source.sample(file, most)

    def done(self, source: Source, file: FoundFile, content: Content) -> None:
        """Keep what was sampled if it is the whole of a version that can be named."""
        if not source.keeps_versions or file.size != content.size or content.sha != file.sha:
            content.close()
            return
        with self._lock:
            self._kept[source.label, file.sha] = content
            self._bytes += content.size
            while self._bytes > _MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.size
                oldest.close()

    def read(self, source: Source, file: FoundFile) -> Content:
        """A file, whole; to be closed by the caller."""
        with self._lock:
            kept = self._kept.pop((source.label, file.sha), None) if file.sha else None
            if kept is not None:
                self._bytes -= kept.size
                return kept
        return source.read(file)
