"""The settings of tap-csv-github, and what a schema cannot say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from crmdb_core.settings import common_settings
from crmdb_core.spelling import unknown_settings
from tap_csv_github.entries import Entry, entry_faults, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["access_faults", "files_faults", "settings"]

APP = ("app_id", "app_private_key", "app_installation_id")


def settings() -> dict[str, Any]:
    """All settings as JSON schema."""
    found: dict[str, Any] = th.PropertiesList(
        *_access(),
        th.Property(
            "files",
            th.ArrayType(th.ObjectType(*_where(), *_what(), *_how(), *_policies(), additional_properties=False)),
            required=True,
            title="Files",
            description="Which files to read, and how: a list of entries, see the table of their settings.",
        ),
        *_traffic(),
        # a file is read whole or not at all, so only the replication key of an entry looks at these
        *common_settings(lookback=0, hold_back=0),
    ).to_dict()
    return found


def _access() -> list[th.Property[Any]]:
    return [
        th.Property(
            "api_url",
            th.StringType(min_length=1),
            default="https://api.github.com",
            title="API root",
            description="The root of the API; of an Enterprise server `https://HOST/api/v3`. Tokens are sent there "
            "and to the same server's Git LFS.",
        ),
        th.Property(
            "api_version",
            th.StringType(pattern=r"^\d{4}-\d{2}-\d{2}$"),
            default="2026-03-10",
            title="API version",
            description="The version of GitHub's REST API.",
        ),
        th.Property(
            "auth_token",
            th.StringType(min_length=1),
            secret=True,
            title="Token",
            description="A personal access token, fine-grained (contents: read) or classic. Public repositories can be "
            "read without one, by 60 calls in an hour.",
        ),
        th.Property(
            "app_id",
            th.StringType(min_length=1),
            title="App ID",
            description="The ID or client ID of a GitHub App, instead of a token.",
        ),
        th.Property(
            "app_private_key",
            th.StringType(min_length=1),
            secret=True,
            title="App private key",
            description="The app's private key, the text of the PEM file; line breaks may be written `\\n`.",
        ),
        th.Property(
            "app_installation_id",
            th.StringType(min_length=1),
            title="App installation",
            description="The number of the app's installation, as in the address of its page.",
        ),
    ]


def _where() -> list[th.Property[Any]]:
    return [
        th.Property(
            "repository",
            th.StringType(min_length=3),
            description="A repository as `owner/name`. Either this or `location`.",
        ),
        th.Property(
            "ref",
            th.StringType(min_length=1),
            description="A branch, tag or commit. Without it: the head of the default branch.",
        ),
        th.Property(
            "release",
            th.StringType(min_length=1),
            description="Read the files beside a release instead of the repository's: `latest` or a tag.",
        ),
        th.Property(
            "location",
            th.StringType(min_length=1),
            description="A folder or a file on this machine, or any URL that fsspec opens, such as `s3://bucket/data`.",
        ),
        th.Property(
            "storage_options",
            th.ObjectType(additional_properties=True),
            secret=True,
            description="What fsspec wants for that URL (keys, end points).",
        ),
        th.Property(
            "path",
            th.StringType(min_length=1),
            default="**/*.csv",
            description="Which files, as a pattern: `*` and `?` within a folder, `**` over folders, `[…]`, `{a,b}`.",
        ),
        th.Property("exclude", th.StringType(min_length=1), description="Which of them not, as a pattern."),
    ]


def _what() -> list[th.Property[Any]]:
    return [
        th.Property(
            "stream_name",
            th.StringType(pattern=r"^\S+$"),
            description="The stream that the rows go into. Without it every file makes one, called as the file is.",
        ),
        th.Property(
            "key_properties",
            th.ArrayType(th.StringType(min_length=1)),
            description="The columns that tell one row from another. With them only rows that changed or vanished are "
            "emitted; without them a row's place is its key.",
        ),
        th.Property(
            "shared_keys",
            th.BooleanType,
            default=True,
            description="Whether two files of the stream may hold the same key. Then a key that vanished from one is "
            "looked for in the others, which are read for it.",
        ),
        th.Property(
            "replication_key",
            th.StringType(min_length=1),
            description="A column with the time of the last change: of files that changed, only rows from the bookmark "
            "on are emitted, and none is said to have vanished.",
        ),
    ]


def _how() -> list[th.Property[Any]]:
    return [
        th.Property(
            "encoding",
            th.StringType(min_length=1),
            description="Such as `utf-8`, `utf-16`, `cp1252`. Without it the file tells.",
        ),
        th.Property(
            "delimiter",
            th.StringType(pattern=r"^(.|\\t)$"),
            description="One character. Without it the file tells: comma, semicolon, tab or bar.",
        ),
        th.Property(
            "quotechar",
            th.StringType(pattern=r"^.?$"),
            description="One character, or empty for files without quotes. Without it the file tells.",
        ),
        th.Property(
            "escapechar",
            th.StringType(pattern=r"^.$"),
            description="A character before quotes inside of cells, where they are not doubled.",
        ),
        th.Property(
            "columns",
            th.ArrayType(th.StringType(min_length=1)),
            description="The names of the columns of files without a header.",
        ),
        th.Property(
            "skip_lines",
            th.IntegerType(minimum=0),
            description="How many lines stand before the header.",
        ),
        th.Property(
            "types",
            th.ObjectType(additional_properties=th.StringType),
            description="Types by column: `integer`, `number`, `boolean`, `date`, `date-time`, the last two with a "
            "format if need be (`date %m/%d/%Y`). All others are text.",
        ),
        th.Property(
            "infer_types",
            th.BooleanType,
            default=False,
            description="Give a column a type if every sampled value has it and nothing is lost by it: no leading "
            "zero, plus, exponent or long number. A later value that does not fit makes it text.",
        ),
        th.Property(
            "null_values",
            th.ArrayType(th.StringType),
            description='Texts that mean that there is no value, such as `["", "NULL"]`.',
        ),
    ]


def _policies() -> list[th.Property[Any]]:
    return [
        th.Property(
            "long_rows",
            th.StringType(allowed_values=["keep", "reject"]),
            default="keep",
            description="Rows with more cells than the header: `keep` the rest in `_sdc_extra`, or `reject`.",
        ),
        th.Property(
            "short_rows",
            th.StringType(allowed_values=["pad", "reject"]),
            default="pad",
            description="Rows with fewer cells: `pad` with nulls, or `reject`.",
        ),
        th.Property(
            "bad_quotes",
            th.StringType(allowed_values=["reject", "keep"]),
            default="reject",
            description="Lines with a quote in a wrong place or never closed: `reject` the line, or `keep` it as it "
            "stands if it then fits the header.",
        ),
        th.Property(
            "bad_bytes",
            th.StringType(allowed_values=["cp1252", "replace", "reject"]),
            default="cp1252",
            description="Bytes that the encoding does not have: read them as `cp1252`, `replace` them by U+FFFD, or "
            "`reject` the row.",
        ),
        th.Property(
            "bad_values",
            th.StringType(allowed_values=["reject", "null"]),
            default="reject",
            description="Values that do not fit a type of `types`: `reject` the row, or make them `null`.",
        ),
    ]


def _traffic() -> list[th.Property[Any]]:
    return [
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1, maximum=64),
            default=32,
            title="Concurrency",
            description="How many files are fetched side by side. GitHub allows 100 calls at once.",
        ),
        th.Property(
            "max_hourly_share",
            th.NumberType(exclusive_minimum=0, maximum=1),
            default=1,
            title="Largest share of the hourly limit",
            description="Which share of the hour's calls may be used up, by everybody with this token together, before "
            "the tap stops by itself with exit code 75.",
        ),
    ]


def access_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the ways of access: a token, a whole app, or neither."""
    given = [name for name in APP if config.get(name)]
    missing = [name for name in APP if not config.get(name)]
    if config.get("auth_token") and given:
        yield f"auth_token: give either this or an app ({', '.join(given)}), not both"
    if given and missing:
        yield f"{', '.join(missing)}: missing for an app, which needs all of {', '.join(APP)}"
    token = config.get("auth_token") or ""
    if not (token.isascii() and token.isprintable() and " " not in token):
        yield "auth_token: holds a blank, a line break or a character that no token has; copy it again"


def files_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the entries, each by itself and together."""
    entries: list[Any] = config.get("files") or []
    if not entries:
        yield "files: is empty; name a repository or a location to read"
    known = frozenset(settings()["properties"]["files"]["items"]["properties"])
    faults = [
        f"files.{number}.{fault}" for number, given in enumerate(entries) for fault in unknown_settings(given, known)
    ]
    faults += [fault for number, given in enumerate(entries) for fault in entry_faults(number, given)]
    yield from faults
    if faults:
        return
    streams: dict[str, tuple[Any, ...]] = {}
    places: dict[str, str] = {}
    for number, entry in enumerate(map(Entry.of, entries)):
        place = entry.location or ""
        if places.setdefault(shown(place), place) != place:
            yield (
                f"files.{number}.location: differs from another one in its query or its user only, which may be secret "
                "and are no part of its name; read the two by runs of their own"
            )
        if entry.stream_name:
            keys = (entry.keys, entry.replication_key)
            if streams.setdefault(entry.stream_name, keys) != keys:
                yield (
                    f"files.{number}: key_properties and replication_key must be the same in all entries of the stream "
                    f"{entry.stream_name}"
                )
