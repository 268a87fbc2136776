"""SOQL text → tree (vendor page "SOQL SELECT syntax")."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from fake_crm.salesforce.soql.refusals import malformed, unexpected
from fake_crm.salesforce.soql.tokens import END, Token, tokens
from fake_crm.salesforce.soql.tree import (
    Call,
    Compare,
    Condition,
    Item,
    Joined,
    Literal,
    Negated,
    Order,
    Path,
    Query,
    Subquery,
    TypeOf,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LONGEST = 100_000  # characters of a query
_LONGEST_TEXT = 4_000  # characters of a text in WHERE
_MOST_OFFSET = 2_000
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_RELATIVE = re.compile(
    r"(?:today|yesterday|tomorrow|(?:last|this|next)_(?:week|month|quarter|year)|last_90_days|next_90_days"
    r"|(?:last|next)_n_(?:days|weeks|months|years):\d+|n_days_ago:\d+)",
    re.IGNORECASE,
)
_CLAUSES = frozenset({"where", "group", "having", "order", "limit", "offset", "for", "with", "using", "all", "update"})


def parse(text: str) -> Query:
    """The tree of a query; 400 with Salesforce's words if there is none."""
    if len(text) > LONGEST:
        raise malformed("SOQL statements cannot be longer than 100,000 characters.")
    parser = _Parser(text)
    query = parser.query()
    if parser.token is not END:
        raise unexpected(parser.token.text, text, parser.token.at)
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0

    # -- tokens -----------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else END

    def _take(self) -> Token:
        token = self.token
        self._next += 1
        return token

    def _accept(self, word: str) -> bool:
        """Step over a keyword or sign, if it stands here."""
        if self.token.kind in {"word", "sign"} and self.token.low == word:
            self._next += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise unexpected(self.token.text, self._text, self.token.at)

    def _word(self) -> Token:
        if self.token.kind != "word":
            raise unexpected(self.token.text, self._text, self.token.at)
        return self._take()

    def _path(self) -> Path:
        token = self._word()
        return Path(tuple(token.text.split(".")), token.at)

    def _listed(self, part: Callable[[], T]) -> tuple[T, ...]:
        found = [part()]
        while self._accept(","):
            found.append(part())
        return tuple(found)

    # -- clauses ----------------------------------------------------------------------------------------------------

    def query(self) -> Query:
        self._expect("select")
        items = self._listed(self._item)
        self._expect("from")
        source = self._word()
        alias = self._alias()
        extras: set[str] = set()
        if self._accept("using"):
            self._expect("scope")
            self._word()
        where = self._condition() if self._accept("where") else None
        self._skip_with(extras)
        group = self._by("group", self._path)
        order = self._by("order", self._order)
        limit = self._amount("limit")
        offset = self._amount("offset")
        if offset is not None and offset > _MOST_OFFSET:
            raise malformed(f"Maximum SOQL offset allowed is {_MOST_OFFSET}")
        self._skip_rest(extras)
        extras |= {word for word, there in (("group", group), ("order", order), ("limit", limit is not None)) if there}
        if offset is not None:
            extras.add("offset")
        return Query(
            items, source.text, source.at, self._text, alias, where, group, order, limit, offset or 0, frozenset(extras)
        )

    def _by(self, word: str, part: Callable[[], T]) -> tuple[T, ...]:
        if not self._accept(word):
            return ()
        self._expect("by")
        return self._listed(part)

    def _amount(self, word: str) -> int | None:
        if not self._accept(word):
            return None
        token = self._take()
        if token.kind != "number" or not token.text.isdecimal():
            raise unexpected(token.text, self._text, token.at)
        return int(token.text)

    def _alias(self) -> str | None:
        if self.token.kind == "word" and self.token.low not in _CLAUSES:
            return self._take().text
        return None

    def _skip_with(self, extras: set[str]) -> None:
        if self._accept("with"):
            extras.add("with")
            self._word()

    def _skip_rest(self, extras: set[str]) -> None:
        while self._accept("for"):
            extras.add("for")
            if self._word().low not in {"view", "reference"}:  # FOR UPDATE is for Apex alone
                token = self._tokens[self._next - 1]
                raise unexpected(token.text, self._text, token.at)
        if self._accept("all"):
            raise malformed("ALL ROWS not allowed in this context", self._text, self._tokens[self._next - 1].at)

    # -- the list of fields -----------------------------------------------------------------------------------------

    def _item(self) -> Item:
        at = self.token.at
        if self._accept("("):
            query = self.query()
            self._expect(")")
            return Subquery(query, at)
        if self.token.low == "typeof":
            return self._typeof()
        path = self._path()
        if not self._accept("("):
            return path
        inner = None if self.token.text == ")" else self._path()
        self._expect(")")
        alias = self._take().text if self.token.kind == "word" and self.token.low != "from" else None
        return Call(path.text.lower(), inner, alias, at)

    def _typeof(self) -> TypeOf:
        at = self._take().at
        while self.token is not END and self.token.low != "end":
            self._take()
        self._expect("end")
        return TypeOf(at)

    def _order(self) -> Order:
        path = self._path()
        descending = self._accept("desc") or (self._accept("asc") and False)
        last = False
        if self._accept("nulls"):
            last = self._accept("last")
            if not last:
                self._expect("first")
        return Order(path, descending, last)

    # -- conditions -------------------------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        first = self._term()
        word = self.token.low
        if word not in {"and", "or"}:
            return first
        parts = [first]
        while self.token.low in {"and", "or"}:
            if self.token.low != word:  # a AND b OR c needs parentheses
                raise unexpected(self.token.text, self._text, self.token.at)
            self._take()
            parts.append(self._term())
        return Joined(word, tuple(parts))

    def _term(self) -> Condition:
        if self._accept("not"):
            return Negated(self._term())
        if self._accept("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Compare:
        path = self._path()
        token = self._take()
        operator = {"<>": "!="}.get(token.low, token.low)
        if operator == "not":
            self._expect("in")
            operator = "not in"
        if operator in {"in", "not in", "includes", "excludes"}:
            return self._among(path, operator)
        if operator not in {"=", "!=", "<", "<=", ">", ">=", "like"}:
            raise unexpected(token.text, self._text, token.at)
        return Compare(path, operator, (self._literal(),))

    def _among(self, path: Path, operator: str) -> Compare:
        self._expect("(")
        if self.token.low == "select" and operator.endswith("in"):
            inner = self.query()
            self._expect(")")
            return Compare(path, operator, query=inner)
        values = self._listed(self._literal)
        self._expect(")")
        return Compare(path, operator, values)

    def _literal(self) -> Literal:
        token = self._take()
        match token.kind:
            case "text":
                return Literal("text", self._unquoted(token), token.at)
            case "number":
                return Literal("number", Decimal(token.text), token.at)
            case "datetime" | "date" | "time":
                return Literal(token.kind, token.text, token.at)
            case "word" if token.low in {"true", "false"}:
                return Literal("boolean", token.low == "true", token.at)
            case "word" if token.low == "null":
                return Literal("null", None, token.at)
            case "word" if _RELATIVE.fullmatch(token.text):
                return Literal("relative", token.low, token.at)
        raise unexpected(token.text, self._text, token.at)

    def _unquoted(self, token: Token) -> str:
        value = re.sub(r"\\(.)", _unescaped, token.text[1:-1], flags=re.DOTALL)
        if len(value) > _LONGEST_TEXT:
            raise malformed("A string in a WHERE clause cannot be longer than 4,000 characters", self._text, token.at)
        return value


def _unescaped(match: re.Match[str]) -> str:
    letter = match[1]
    return match[0] if letter in "%_" else _ESCAPES.get(letter, letter)  # LIKE still needs to know of those two
