"""Singer target for Postgres: data, rejects, history and state in one transaction."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_crmdb.target import TargetCrmdb

__all__ = ["TargetCrmdb"]


def __getattr__(name: str) -> Any:
    """Import the target when it is asked for: the console script must be able to say how, and `crmdb` needs none."""
    if name != "TargetCrmdb":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from target_crmdb.target import TargetCrmdb  # noqa: PLC0415 - see above

    return TargetCrmdb
