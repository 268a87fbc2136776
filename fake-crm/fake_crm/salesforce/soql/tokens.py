"""SOQL text → words, signs and literals."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fake_crm.salesforce.soql.refusals import unexpected

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<datetime>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<time>\d\d:\d\d:\d\d(?:\.\d+)?[Zz]?)
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^'\\]|\\.)*')
    |(?P<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::\d+)?)
    |(?P<sign><=|>=|!=|<>|[=<>(),])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One word, sign or literal."""

    kind: str
    text: str
    at: int

    @property
    def low(self) -> str:
        """In lower case: keywords have no case."""
        return self.text.lower()


END = Token("end", "", -1)


def tokens(text: str) -> list[Token]:
    """All tokens of a query; 400 for a letter that begins none."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise unexpected(text[at], text, at)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return found
