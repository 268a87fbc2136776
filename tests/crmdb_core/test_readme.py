"""The README's example tap runs as it stands."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import crmdb_core

README = Path(crmdb_core.__file__).parent.parent / "README.md"


def test_the_readmes_tap_syncs(api: Any) -> None:
    code = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code, names)
    with redirect_stdout(out := io.StringIO()):
        names["TapExample"](config={"api_url": api.url}).sync_all()
    types = [json.loads(line)["type"] for line in out.getvalue().splitlines()]
    assert 10 == types.count("RECORD")
    assert "STATE" == types[-1]
