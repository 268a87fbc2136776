"""The table of cases in docs/validation.md says what the types do."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from target_crmdb.validation.fields import COLUMN_TYPES, FieldError, field_type

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "validation.md").read_text("utf-8")
TABLE = PAGE.partition("<!-- cases:begin -->")[2].partition("<!-- cases:end -->")[0]
CASES = re.findall(r"^\| (\w+) \| (`.*?`)? ?\| `(.*?)` \| (.*?) \|$", TABLE, re.MULTILINE)


def made_of(name: str, options: dict[str, object], value: object) -> str:
    """Give what a type makes of a value, as the table says it."""
    try:
        found = field_type(name, **options).normal(value)
    except FieldError as error:
        return f"refused: {error.rule}"
    if found is None:
        return "null"
    return f"`{str(found).lower() if isinstance(found, bool) else found}`"


@pytest.mark.parametrize(("name", "options", "value", "expected"), CASES)
def test_a_documented_case(name: str, options: str, value: str, expected: str) -> None:
    given = json.loads(options.strip("`")) if options else {}
    assert expected == made_of(name, given, json.loads(value, parse_float=Decimal))


def test_every_line_is_read_and_every_type_has_cases() -> None:
    assert TABLE.count("\n|") - 2 == len(CASES)
    assert set(COLUMN_TYPES) == {name for name, *_ in CASES}
