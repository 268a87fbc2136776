"""The settings of how records are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from singer_sdk import typing as th


def reading_settings() -> list[th.Property[Any]]:
    """Settings of reading."""
    return []
