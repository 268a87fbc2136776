"""Safe, readable identifiers: snake_case, at most 63 bytes, never one name for two things."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

Path = tuple[str, ...]

MAX_BYTES = 63  # NAMEDATALEN - 1, PostgreSQL manual "Lexical Structure: Identifiers and Key Words"
_RESERVED = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})  # system columns
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNSAFE = re.compile(r"[^\w]+")


def snake_case(name: str) -> str:
    """Give a readable identifier of at most 63 bytes; two names may give the same one."""
    folded = _HUMP.sub("_", unicodedata.normalize("NFKC", name)).lower()
    safe = _UNSAFE.sub("_", folded)
    trimmed = safe.rstrip("_") if name.rstrip("_") == name else safe
    candidate = trimmed or "_"
    if candidate[0].isdigit():
        candidate = f"_{candidate}"
    return candidate if len(candidate.encode()) <= MAX_BYTES else _cut(candidate, _digest((name,)))


def name_columns(paths: Iterable[Path], given: Mapping[Path, str], *, taken: Collection[str] = ()) -> dict[Path, str]:
    """Name every path; names in `given` stay, new ones avoid them.

    A nested field is named by its last part (`properties.email` → `email`), with its parent's name in
    front where that name is taken, and with a digest of its path where that is taken too.
    """
    names: dict[Path, str] = {}
    used = {*given.values(), *taken, *_RESERVED}
    for path in paths:
        name = given.get(path) or next(name for name in _candidates(path) if name not in used)
        names[path] = name
        used.add(name)
    return names


def free_name(wanted: Path, used: Collection[str]) -> str:
    """Give the first candidate for `wanted` that is not used yet."""
    return next(name for name in _candidates(wanted) if name not in used)


@lru_cache(maxsize=4096)
def dotted(path: Path) -> str:
    """Write a path as one text, `properties.email`; a dot inside a name is escaped, so none collide."""
    return ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in path)


def _candidates(path: Path) -> Iterator[str]:
    yield snake_case(path[-1])
    if len(path) > 1:
        yield snake_case("_".join(path))
    base = snake_case(path[-1])
    yield _cut(base, _digest(path))
    for attempt in range(2, 1000):
        yield _cut(base, _digest((*path, str(attempt))))


def _digest(path: Path) -> str:
    text = "\0".join(path).encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=4).hexdigest()


def _cut(name: str, digest: str) -> str:
    """Shorten to whole characters and append the digest."""
    room = MAX_BYTES - len(digest) - 1
    head = name.encode()[:room].decode(errors="ignore")
    return f"{head}_{digest}"
