"""The files beside a release: the latest one's, or those of a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tap_csv_github.client import OCTETS, Wanted
from tap_csv_github.sources.source import FoundFile, Listing

if TYPE_CHECKING:
    from tap_csv_github.client import GitHubSession
    from tap_csv_github.content import Content
    from tap_csv_github.sources.source import Known

__all__ = ["ReleaseSource"]

_PER_PAGE = 100


class ReleaseSource:
    """The files of one release. A file that is replaced gets another id; the old one is gone then."""

    keeps_versions = False
    is_local = False

    def __init__(self, session: GitHubSession, repository: str, release: str) -> None:
        self._session = session
        self._root = f"repos/{quote(repository)}/releases"
        self._release = release
        self.repository = repository
        self.ref = f"release:{release}"

    @property
    def label(self) -> str:
        """Repository and release."""
        return f"{self.repository}@{self.ref}"

    def listing(self, known: Known | None) -> Listing:
        """One call, free where nothing changed; more above a hundred files."""
        path = "latest" if self._release == "latest" else f"tags/{quote(self._release, safe='')}"
        release, etag = self._session.get_unless(known.etag if known else "", f"{self._root}/{path}")
        if release is None and known is not None:
            files = {each: FoundFile(each, "", stamp=stamp) for each, stamp in known.files.items()}
            return Listing(files, known.commit, known.commit_time, etag, is_unchanged=True)
        found: dict[str, FoundFile] = {}
        page = 1
        while True:
            where = f"{self._root}/{release['id']}/assets"
            assets = self._session.get_json(where, {"per_page": _PER_PAGE, "page": page})
            for each in assets:
                # id first: `read` takes it from there; a replaced file has another id and another time
                stamp = f"{each['id']}/{each['updated_at']}"
                found[each["name"]] = FoundFile(each["name"], "", int(each["size"]), stamp, str(each["updated_at"]))
            if len(assets) < _PER_PAGE:
                break
            page += 1
        return Listing(found, str(release["tag_name"]), str(release["published_at"] or release["created_at"]), etag)

    def read(self, file: FoundFile) -> Content:
        """The file, from the storage to which GitHub sends."""
        return self._download(file, None)

    def sample(self, file: FoundFile, most: int) -> Content:
        """Its first bytes."""
        return self._download(file, most)

    def _download(self, file: FoundFile, most: int | None) -> Content:
        asset = file.stamp.partition("/")[0]
        return self._session.fetch_file(
            f"{self._root}/assets/{asset}", Wanted(size=file.size, most=most), accept=OCTETS
        )

    def earlier(self, sha: str) -> None:
        """None: a replaced file is gone."""
        del sha
