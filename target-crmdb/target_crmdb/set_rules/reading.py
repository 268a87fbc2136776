"""Rules over many records, from the file that is shipped and from the user's."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from target_crmdb.exceptions import ConfigError

_HEAD = re.compile(r"^--[ \t]*rule:[ \t]*(?P<name>.*?)[ \t]*$", re.MULTILINE)
_REASON = re.compile(r"^--[ \t]*reason:[ \t]*(?P<reason>.+?)[ \t]*$", re.MULTILINE)
_END = re.compile(r";[ \t]*(?:--[^\n]*)?\Z")
_NAME = re.compile(r"[a-z_]\w*\.\w+", re.ASCII)


@dataclass(frozen=True)
class SetRule:
    """A rule named `entity.word`: a SELECT that names the records that break it, and what is wrong with them."""

    name: str
    reason: str
    query: str

    @property
    def entity(self) -> str:
        """The entity whose records it is about."""
        return self.name.partition(".")[0]


def all_set_rules(path: str | None = None) -> tuple[SetRule, ...]:
    """Give the shipped rules, and those of the user's file, which may put others in their place."""
    shipped = (files(__package__) / "shipped.sql").read_text("utf-8")
    rules: dict[str, SetRule] = {rule.name: rule for rule in parse(shipped, "shipped.sql")}
    if path:
        rules |= {rule.name: rule for rule in parse(_read(path), path)}
    return tuple(rules.values())


def parse(text: str, name: str) -> Iterator[SetRule]:
    """Yield the rules of a file; raises ConfigError for one that lacks its parts."""
    heads = list(_HEAD.finditer(text))
    if not heads:
        raise ConfigError(f"{name} has no rule; begin each with a line `-- rule: entity.word`")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    seen: Mapping[str, int] = {}
    for head, end in zip(heads, ends, strict=True):
        line = text.count("\n", 0, head.start()) + 1
        rule = _rule(head["name"], text[head.end() : end], f"{name}, line {line}")
        if rule.name in seen:
            raise ConfigError(f"{name}, line {line}: {rule.name} stands there already, on line {seen[rule.name]}")
        seen = {**seen, rule.name: line}
        yield rule


def _rule(name: str, body: str, place: str) -> SetRule:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{place}: a rule's name is entity.word, such as deals.without_owner")
    reason = _REASON.search(body)
    query = "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("--")).strip()
    query = _END.sub("", query)
    if not query.lower().startswith(("select", "with")):
        raise ConfigError(f"{place}: behind the rule's name comes one SELECT")
    return SetRule(name, reason["reason"] if reason else "breaks this rule", query)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"rules_file {path} cannot be read; correct the setting") from error
