"""How rows are written: what `load_method` and `hard_delete` mean for the statements."""

from dataclasses import dataclass

from target_crmdb.settings import Config

_APPENDING = frozenset({"append", "append-only"})


@dataclass(frozen=True)
class WriteMode:
    """`guarded`: a row older than the stored one is refused. `appends`: records are rows, whatever their key."""

    guarded: bool = True
    appends: bool = False
    hard_delete: bool = False

    @classmethod
    def of(cls, config: Config) -> "WriteMode":
        """Read the settings."""
        method = str(config.get("load_method") or "upsert").lower()
        appends = method in _APPENDING
        return cls(
            guarded=method != "overwrite",
            appends=appends,
            hard_delete=bool(config.get("hard_delete")) and not appends,  # a tombstone is a record like any other
        )
