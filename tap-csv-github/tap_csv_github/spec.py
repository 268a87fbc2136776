"""What one stream is made of: entries of the settings and their sources."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_csv_github.entries import Entry
    from tap_csv_github.sources.source import FoundFile, Listing, Source

__all__ = ["Part", "PlacedFile", "Spec"]

Part = tuple["Entry", "Source"]


@dataclass(frozen=True)
class PlacedFile:
    """A file of a listing together with where it is and how it is read."""

    entry: Entry
    source: Source
    file: FoundFile
    listing: Listing

    @property
    def label(self) -> str:
        """Its source."""
        return self.source.label

    @property
    def path(self) -> str:
        """Its path."""
        return self.file.path


@dataclass(frozen=True)
class Spec:
    """One stream; all its entries agree on keys and replication key."""

    name: str
    parts: tuple[Part, ...]

    @property
    def entry(self) -> Entry:
        """The first entry, whose keys are those of all."""
        return self.parts[0][0]

    @property
    def fingerprint(self) -> str:
        """What changes when the stream's entries do: then its files are read anew."""
        return hashlib.sha256("|".join(entry.fingerprint for entry, _ in self.parts).encode()).hexdigest()[:16]

    def part_of(self, label: str, path: str) -> Part | None:
        """The entry and source by which a file belongs to the stream; the first that takes it."""
        for entry, source in self.parts:
            if source.label == label and entry.takes(path) and entry.stream_of(path) == self.name:
                return entry, source
        return None

    def files(self, listing_of: Callable[[Source], Listing]) -> Iterator[PlacedFile]:
        """All files of the stream as they are now, in the order of the entries and of their paths."""
        seen: set[tuple[str, str]] = set()
        for entry, source in self.parts:
            listing = listing_of(source)
            for path in sorted(listing.files):
                place = (source.label, path)
                if place not in seen and entry.takes(path) and entry.stream_of(path) == self.name:
                    seen.add(place)
                    yield PlacedFile(entry, source, listing.files[path], listing)
