"""What every benchmark begins and ends with: an environment without a user's settings, and figures kept."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTPUT = Path(__file__).resolve().parent.parent / "output" / "bench"


def plain_environment() -> dict[str, str]:
    """Nothing of a user's own settings; those of dlt have two underscores."""
    ours = ("TAP_", "TARGET_", "MELTANO_", "PG", "DLT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and "__" not in name}
    return {**kept, "NO_COLOR": "1"}


def keep(tables: Sequence[str], figures: dict[str, object]) -> None:
    """Print the tables and what it ran on; leave them and every figure in output/bench."""
    about = figures["machine"]
    assert isinstance(about, dict)
    found, where = "\n".join(tables).strip(), "\n".join(f"- {name}: {value}" for name, value in about.items())
    text = f"{found}\n\n{where}"
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    (_OUTPUT / f"{stamp}.json").write_text(json.dumps(figures, indent=1), "utf-8")
    (_OUTPUT / f"{stamp}.md").write_text(text + "\n", "utf-8")
    print(f"\n{text}\n\nkept in output/bench/{stamp}.json and .md")
