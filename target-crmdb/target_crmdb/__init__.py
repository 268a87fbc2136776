"""Singer target for Postgres: data, rejects, history and state in one transaction."""

__all__ = ["TargetCrmdb"]

from target_crmdb.target import TargetCrmdb
