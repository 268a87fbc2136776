"""The settings: MeltanoLabs target-postgres' names, ours, and what must hold between them."""

import contextlib
import copy
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import BATCH_CONFIG
from singer_sdk.target_base import Target

from target_crmdb.inherited import inherited_settings
from target_crmdb.mapping.source import LEVELS, Level

Config = Mapping[str, Any]
SchemaChange = Literal["evolve", "freeze", "discard_value", "reject_row"]

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_POLICIES: tuple[SchemaChange, ...] = ("evolve", "freeze", "discard_value", "reject_row")

_OWN = th.PropertiesList(
    th.Property(
        "embedded",
        th.BooleanType,
        default=False,
        description="Use the embedded Postgres server (demo and development only). Excludes every connection setting.",
    ),
    th.Property(
        "embedded_data_dir",
        th.StringType,
        description="Data folder of the embedded server; by default output/pgdata in the Meltano project.",
    ),
    th.Property(
        "source",
        th.StringType,
        description="Which CRM's field mapping applies (`hubspot`, …); by default the name of the target schema.",
    ),
    th.Property(
        "mapping",
        th.CustomType({"type": ["string", "object", "null"], "additionalProperties": True}),
        description=(
            "Your own field mapping on top of the one that is shipped for the source: the path of a YAML file, or an "
            "object (also as JSON text)."
        ),
    ),
    th.Property(
        "validation",
        th.ObjectType(additional_properties=th.StringType(allowed_values=list(LEVELS))),
        description=(
            "What becomes of a row one of whose mapped values has no normal form, by stream (`contacts`), canonical "
            "field (`contacts.email`) or for all (`*`). `strict`: the row is rejected; `lenient` (the default): the "
            "normal form is null, and an issue is recorded; `off`: the same without an issue."
        ),
    ),
    th.Property(
        "rules",
        th.ObjectType(additional_properties=th.StringType(allowed_values=list(LEVELS))),
        description=(
            "Levels of business rules, by rule (`deals.negative_amount`), entity (`deals`) or for all (`*`). `lenient` "
            "(the default): a record that breaks it has an issue; `strict`: it is rejected (rules over one record "
            "only); `off`: the rule is not asked."
        ),
    ),
    th.Property(
        "rules_file",
        th.StringType,
        description="An SQL file with business rules of your own over many records (docs/business-rules.md).",
    ),
    th.Property(
        "max_shared_email",
        th.IntegerType(minimum=1),
        default=2,
        description="How many contacts of one source may have the same e-mail address (rule `contacts.shared_email`).",
    ),
    th.Property(
        "measure_quality",
        th.BooleanType,
        default=True,
        description="After each run, count valid and faulty values of the tables that it changed (`crmdb quality`).",
    ),
    th.Property(
        "bookkeeping_schema",
        th.StringType,
        default="_crmdb",
        description="Schema of history, rejects, state and the record of names.",
    ),
    th.Property(
        "max_batch_bytes",
        th.IntegerType(minimum=1),
        default=8 * 1024 * 1024,
        description="Commit when the messages waiting have this many bytes, all streams together.",
    ),
    th.Property(
        "state_interval",
        th.NumberType(minimum=0),
        default=5,
        description="Commit, and print STATE, at least this often (seconds) while messages come.",
    ),
    th.Property(
        "max_columns",
        th.IntegerType(minimum=10, maximum=1000),
        default=400,
        description="Columns of a table at most; further fields go, losslessly, into its jsonb column `_extra`.",
    ),
    th.Property(
        "sweep_at_end",
        th.BooleanType,
        default=False,
        description=(
            "Remove what the source no longer has at the clean end of the input also for streams whose "
            "ACTIVATE_VERSION came first, or that have none and no bookmark. Only for taps that read such streams "
            "whole in every run."
        ),
    ),
    th.Property(
        "max_delete_share",
        th.NumberType(minimum=0, maximum=1),
        default=0.5,
        description=(
            "If more than this share of a table's rows would be removed as no longer in the source, none is, and the "
            "run ends with exit code 1 and asks for confirmation."
        ),
    ),
    th.Property(
        "confirm_deletes",
        th.BooleanType,
        default=False,
        description="The confirmation that max_delete_share asks for; meant for a single run.",
    ),
    th.Property(
        "schema_change",
        th.StringType,
        default="evolve",
        allowed_values=list(_POLICIES),
        description=(
            "What a SCHEMA may do that asks for other columns or types than its table has. `evolve`: add and widen; "
            "`freeze`: fail; `discard_value`: leave new fields and values that do not fit out; `reject_row`: reject "
            "rows that have such values."
        ),
    ),
    th.Property(
        "stream_schema_change",
        th.ObjectType(additional_properties=th.StringType(allowed_values=list(_POLICIES))),
        description="The same for single streams, an object from stream to policy.",
    ),
    th.Property(
        "max_rewrite_bytes",
        th.IntegerType(minimum=0),
        default=2**30,
        description=(
            "A column's type is changed in place only in tables up to this size; above, a sibling column is added."
        ),
    ),
    th.Property(
        "model_schema",
        th.StringType,
        default="crm",
        description=(
            "Schema of the canonical model's views, which follow mappings and tables. Other views in it are made again "
            "where a column under them changes its type."
        ),
    ),
    th.Property(
        "max_rejects",
        th.IntegerType(minimum=0),
        description="Fail the run, without advancing STATE, above this many rejected rows. Unlimited by default.",
    ),
    th.Property(
        "max_protocol_errors",
        th.IntegerType(minimum=0),
        default=0,
        description=(
            "Broken lines, records before their SCHEMA and records without their key are rejected; above this many "
            "the run ends as failed once all other rows are in, and STATE stays where it was."
        ),
    ),
    th.Property(
        "connect_timeout",
        th.NumberType(minimum=0),
        default=15,
        description="Seconds during which a database that does not answer is tried again before exit code 75.",
    ),
    th.Property(
        "lock_timeout",
        th.NumberType(minimum=0),
        default=30,
        description="Seconds that one attempt waits for a lock that someone else holds on a table.",
    ),
    th.Property(
        "statement_timeout",
        th.NumberType(minimum=0),
        default=600,
        description="Seconds that a single statement may take before exit code 75; 0 for no limit.",
    ),
    th.Property(
        "retry_timeout",
        th.NumberType(minimum=0),
        default=60,
        description=(
            "Seconds during which failures that pass (a lost connection, a deadlock, a lock that someone holds) are "
            "tried again with growing pauses, before exit code 75."
        ),
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        description=(
            "Take all records the whole way and write nothing: what would be created, changed, deleted and rejected "
            "goes to standard error and to dry_run_report. No STATE is printed."
        ),
    ),
    th.Property(
        "dry_run_report",
        th.StringType,
        description="A dry run's report (JSON); by default target-crmdb-dry-run.json in the working folder.",
    ),
    th.Property(
        "log_values",
        th.BooleanType,
        default=False,
        description="Show record values in warnings and in a dry run's report instead of masking them.",
    ),
    th.Property(
        "debug",
        th.BooleanType,
        default=False,
        description="Log in full detail; still no secret and no record value.",
    ),
).to_dict()

_CHANGED: Mapping[str, Mapping[str, Any]] = {
    "load_method": {
        "default": "upsert",
        "enum": ["upsert", "append-only", "append", "overwrite"],
        "description": (
            "`upsert`: rows are merged by key, changed and newer ones only. `append-only` (or `append`): every record "
            "is a row of its own. `overwrite`: as upsert, but an older row overwrites a newer one too."
        ),
    },
    "validate_records": {"default": True},
    "batch_size_rows": {"default": 10_000, "description": "Commit when a stream has this many rows waiting."},
}


def config_schema() -> dict[str, Any]:
    """Build the JSON schema of all settings: target-postgres', the SDK's, ours."""
    schema: dict[str, Any] = {"type": "object", "properties": copy.deepcopy(inherited_settings())}
    Target.append_builtin_config(schema)
    properties = schema["properties"]
    properties.update(copy.deepcopy(_OWN["properties"]))
    properties["batch_config"] = _batch_config()
    for name, changes in _CHANGED.items():
        properties[name].update(changes)
    return schema


def _batch_config() -> dict[str, Any]:
    """Give the SDK's setting, said as a target takes it."""
    schema: dict[str, Any] = copy.deepcopy(BATCH_CONFIG["properties"]["batch_config"])
    schema["description"] = (
        "`storage.root`: the folder or URL where the files of BATCH messages lie, if not where the messages say. The "
        "rest is accepted for compatibility and not used: each message tells its own encoding."
    )
    return schema


def read_numbers(config: dict[str, Any], schema: Config) -> None:
    """Take numbers that came as text: Meltano 4.4 cannot hand over its own kind `decimal` (it fails to write it)."""
    for name, setting in schema["properties"].items():
        if isinstance(config.get(name), str) and "number" in setting.get("type", ()):
            with contextlib.suppress(InvalidOperation):  # what is no number stays text, and is a fault of its type
                config[name] = Decimal(config[name])


def contradictions(config: Config) -> Iterator[str]:
    """Yield everything that is wrong between settings, each with what to do."""
    explicit = [name for name in ("host", "sqlalchemy_url") if config.get(name)]
    if config.get("embedded"):
        for name in explicit:
            yield f"embedded: true and {name} exclude each other; remove one of the two"
    elif not explicit:
        yield "no connection: set host (or sqlalchemy_url), or embedded: true in a demo or dev environment"
    if config.get("host") and not config.get("sqlalchemy_url"):
        yield from _parts(config)


def source_of(config: Config) -> str:
    """Name the CRM whose mapping applies."""
    return str(config.get("source") or config.get("default_target_schema") or "")


def schema_change_of(config: Config, stream: str) -> SchemaChange:
    """Give the policy of a stream."""
    return cast("SchemaChange", (config.get("stream_schema_change") or {}).get(stream) or config["schema_change"])


def validation_level(config: Config, stream: str, field: str) -> Level:
    """Give the level of a stream's canonical field: the nearest that is set."""
    levels = config.get("validation") or {}
    found = (levels[name] for name in (f"{stream}.{field}", stream, "*") if name in levels)
    return cast("Level", next(found, "lenient"))


def rule_level(config: Config, name: str) -> Level:
    """Give the level of a business rule: the nearest that is set."""
    levels = config.get("rules") or {}
    found = (levels[one] for one in (name, name.partition(".")[0], "*") if one in levels)
    return cast("Level", next(found, "lenient"))


def maps_records(config: Config) -> bool:
    """Tell whether records may be changed before they are loaded."""
    return bool(config.get("stream_maps") or config.get("flattening_enabled"))


def _parts(config: Config) -> Iterator[str]:
    for name in ("user", "database"):
        if not config.get(name):
            yield f"host is set and {name} is not; set {name}, or use sqlalchemy_url"
    if config.get("ssl_enable") and config.get("ssl_mode") not in _SSL_MODES:
        yield f"ssl_mode must be one of {', '.join(_SSL_MODES)}"
    if config.get("ssl_enable") and config.get("ssl_mode") in _SSL_MODES[-2:]:
        yield from _wanted(config, "ssl_enable", "ssl_certificate_authority")
    if config.get("ssl_client_certificate_enable"):
        yield from _wanted(config, "ssl_client_certificate_enable", "ssl_client_certificate", "ssl_client_private_key")
    tunnel = config.get("ssh_tunnel")
    if isinstance(tunnel, dict) and tunnel.get("enable"):
        for name in ("host", "username", "private_key"):
            if not tunnel.get(name):
                yield f"ssh_tunnel.enable is set and ssh_tunnel.{name} is not; set it"


def _wanted(config: Config, switch: str, *names: str) -> Iterator[str]:
    for name in names:
        if not config.get(name):
            yield f"{switch} is set and {name} is not; set it"
