"""The company and user behind the credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Account"]


@dataclass(frozen=True)
class Account:
    """What `users/me` tells; every field may be missing."""

    company: str = ""
    domain: str = ""
    user_id: str = ""

    @classmethod
    def of(cls, answer: Any) -> Account:
        """Read the API's answer."""
        data = answer.get("data") if isinstance(answer, dict) else None
        found: Mapping[str, Any] = data if isinstance(data, dict) else {}
        parts = (found.get("company_id"), found.get("company_domain"), found.get("id"))
        return cls(*("" if part is None else str(part) for part in parts))

    def facts(self) -> dict[str, str]:
        """What is known, for people."""
        found = {"company": self.company, "company_domain": self.domain, "user": self.user_id}
        return {name: text for name, text in found.items() if text}
