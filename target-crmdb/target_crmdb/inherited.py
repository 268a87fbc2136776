"""The settings that target-crmdb shares with MeltanoLabs' target-postgres, under its names, types and defaults.

They are declared here, not read from that package, because importing it (SQLAlchemy, SSH) takes longer than starting
the rest; it is imported only where its SSL files or its SSH tunnel are used. A test holds this list against it.
"""

from typing import Any

from singer_sdk import typing as th

_UNUSED = "Accepted for compatibility and not used: "
_URL_FIRST = " Not used beside sqlalchemy_url."

_TUNNEL = th.ObjectType(
    th.Property("enable", th.BooleanType, default=False, description="Connect through an SSH server."),
    th.Property("host", th.StringType, description="The SSH server."),
    th.Property("username", th.StringType, description="The user there."),
    th.Property("port", th.IntegerType, default=22, description="Its port."),
    th.Property("private_key", th.StringType, secret=True, description="The user's private key, its text."),
    th.Property("private_key_password", th.StringType, secret=True, description="The key's password, if it has one."),
    additional_properties=True,
)

_SETTINGS = th.PropertiesList(
    th.Property("host", th.StringType, description="The server's name or address, or a socket's folder." + _URL_FIRST),
    th.Property("port", th.IntegerType, default=5432, description="The server's port." + _URL_FIRST),
    th.Property("user", th.StringType, description="The role to connect as." + _URL_FIRST),
    th.Property("password", th.StringType, secret=True, description="The role's password." + _URL_FIRST),
    th.Property("database", th.StringType, description="The database to load." + _URL_FIRST),
    th.Property(
        "use_copy",
        th.BooleanType,
        default=False,
        description=_UNUSED + "rows always come in by COPY.",
        title="Use COPY",
    ),
    th.Property(
        "sqlalchemy_url",
        th.StringType,
        secret=True,
        description=(
            "The whole connection as a URL, `postgresql+psycopg://user:password@host:port/database?sslmode=…`, instead "
            "of the parts and the SSL settings. Special characters in it are percent-encoded."
        ),
    ),
    th.Property(
        "dialect+driver",
        th.StringType,
        default="postgresql+psycopg",
        description=_UNUSED + "the driver is psycopg 3.",
    ),
    th.Property(
        "default_target_schema",
        th.StringType,
        default="melty",
        description="Postgres schema of the tables; Meltano fills in the tap's `load_schema`.",
    ),
    th.Property(
        "activate_version",
        th.BooleanType,
        default=True,
        description=(
            "Obey ACTIVATE_VERSION messages that come after their stream's last record: rows not seen in this run are "
            "marked deleted (or deleted, see hard_delete) at the end of the input."
        ),
    ),
    th.Property(
        "hard_delete",
        th.BooleanType,
        default=False,
        description="Delete rows that vanished from the source or whose tombstone comes, instead of marking them.",
    ),
    th.Property(
        "add_record_metadata",
        th.BooleanType,
        default=False,  # there: true
        description=(
            "Add `_sdc_extracted_at` and `_sdc_batched_at`: when the row last changed here. Deletion needs neither: "
            "`_sdc_deleted_at` always exists."
        ),
    ),
    th.Property(
        "interpret_content_encoding", th.BooleanType, default=False, description=_UNUSED + "text is stored as it came."
    ),
    th.Property(
        "sanitize_null_text_characters",
        th.BooleanType,
        default=True,  # there: false
        description=(
            "Replace NUL characters and lone surrogates, which Postgres text cannot hold, by U+FFFD. "
            "If false, such a row is rejected."
        ),
    ),
    th.Property(
        "ssl_enable",
        th.BooleanType,
        default=False,
        description="Use TLS as ssl_mode says, to know the server." + _URL_FIRST,
    ),
    th.Property(
        "ssl_client_certificate_enable",
        th.BooleanType,
        default=False,
        description="Show the server a client certificate." + _URL_FIRST,
    ),
    th.Property(
        "ssl_mode",
        th.StringType,
        default="verify-full",
        description="libpq's sslmode: disable, allow, prefer, require, verify-ca or verify-full." + _URL_FIRST,
    ),
    th.Property(
        "ssl_certificate_authority",
        th.StringType,
        default="~/.postgresql/root.crl",
        description="The authority that signed the server's certificate: a file, or the certificate itself."
        + _URL_FIRST,
    ),
    th.Property(
        "ssl_client_certificate",
        th.StringType,
        default="~/.postgresql/postgresql.crt",
        description="The client certificate: a file, or the certificate itself." + _URL_FIRST,
    ),
    th.Property(
        "ssl_client_private_key",
        th.StringType,
        secret=True,
        default="~/.postgresql/postgresql.key",
        description="The client certificate's key: a file, or the key itself." + _URL_FIRST,
    ),
    th.Property(
        "ssl_storage_directory",
        th.StringType,
        default=".secrets",
        description="Folder for certificates and keys that were given as text.",
    ),
    th.Property("ssh_tunnel", _TUNNEL, description="Connect through an SSH server."),
).to_dict()


def inherited_settings() -> dict[str, Any]:
    """Give the JSON schema of the shared settings, by name."""
    return dict(_SETTINGS["properties"])
