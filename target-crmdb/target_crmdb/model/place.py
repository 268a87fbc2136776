"""Where the model's views stand."""

from dataclasses import dataclass

from target_crmdb.mapping import SourceMapping


@dataclass(frozen=True)
class ViewPlace:
    """The views' schema, and which mapping is newer than the recorded one, for one target schema."""

    schema: str
    own: SourceMapping | None = None
    target_schema: str = ""
