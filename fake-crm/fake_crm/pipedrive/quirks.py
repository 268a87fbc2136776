"""Ways of the API that differ between accounts or are not known for sure; tests switch them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Quirks:
    """`lag`: seconds of the fake's clock until lists show a write.

    `features_off`: projects, installments, … that the plan lacks. `without_pagination`: v1 lists without
    `additional_data`. `loops_at`: which page of a v2 list
    gives its own cursor again, once. `short_every`: every n-th page of a v2 list has one row and a valid cursor.
    `counts`: whether lists give `products_count` and the like on demand.
    """

    lag: float = 0.0
    features_off: set[str] = field(default_factory=set)
    without_pagination: bool = False
    loops_at: int | None = None
    short_every: int = 0
    counts: bool = True
