"""`dry_run: true`: the whole way of every record, on temporary copies of the rows that it would touch."""

from target_crmdb.dry_run.run import DryRun

__all__ = ["DryRun"]
