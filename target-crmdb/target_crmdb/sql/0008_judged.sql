-- Rows that were loaded by a run which was killed before the rules over many records were asked: the next one asks.

alter table tables add column unjudged_since xid8; -- all that was not asked is of this transaction or a later one

-- One look at the run for each issue costs as much as the issue itself, and a batch may have thousands. The number of
-- a run whose history was deleted may stay.
alter table validation_issues
    drop constraint validation_issues_run_id_fkey,
    drop constraint validation_issues_closed_run_id_fkey;
drop index validation_issues_of_run; -- it was for them
