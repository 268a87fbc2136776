"""Access by OAuth: tokens that run out or are refused in the midst of a sync (faults A01, A02, A03)."""

from __future__ import annotations
