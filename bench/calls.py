"""What was asked of the fake: calls by kind and status."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_REFUSED = 400
_LIMITED = 429
# the first that fits; legacy paths are singer-io's
_KINDS = (
    ("searches", re.compile(r"/search$")),
    ("batch reads", re.compile(r"/batch/read$")),
    ("archived scans", re.compile(r"\?archived=true$")),
    ("schema", re.compile(r"/(properties|schemas)(/|$)")),
    ("account", re.compile(r"/account-info/|/oauth/")),
    ("single records", re.compile(r"/{id}$")),
    ("list pages", re.compile(r"/objects/|/paged$")),
)


@dataclass(frozen=True)
class Calls:
    """How often each call, such as `GET /crm/v3/objects/contacts`, got each status."""

    counted: Counter[tuple[str, int | None]]

    def since(self, before: Calls) -> Calls:
        """Those that came after."""
        return Calls(self.counted - before.counted)

    def about(self, object_type: str) -> Calls:
        """Those of one object type."""
        part = re.compile(rf"/{object_type}(?=[/?]|$)")
        return Calls(Counter({key: count for key, count in self.counted.items() if part.search(key[0])}))

    def without(self, object_type: str) -> Calls:
        """Those of all the others."""
        return self.since(self.about(object_type))

    def total(self) -> int:
        """All of them, refused ones too."""
        return self.counted.total()

    def kinds(self) -> dict[str, int]:
        """How many there were of each kind, refused ones too."""
        found: Counter[str] = Counter()
        for (call, _), count in self.counted.items():
            found[next((name for name, form in _KINDS if form.search(call)), "others")] += count
        return dict(found.most_common())

    def limited(self) -> int:
        """How many met a rate limit."""
        return sum(count for (_, status), count in self.counted.items() if status == _LIMITED)

    def refusals(self) -> dict[int, int]:
        """How many got which error, rate limits apart."""
        found: Counter[int] = Counter()
        for (_, status), count in self.counted.items():
            if status is not None and status >= _REFUSED and status != _LIMITED:
                found[status] += count
        return dict(found)
