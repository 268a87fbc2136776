-- What is wrong with values and records that were loaded all the same, and how good the data were after each run.

create table validation_issues (
    issue_id bigint generated always as identity primary key,
    run_id bigint references runs on delete set null, -- the one that found it
    source text not null,
    table_schema text not null,
    table_name text not null,
    stream text not null,
    entity text not null,
    key text not null, -- the record's key, several key fields joined by a colon; empty in tables without a key
    kind text not null check (kind in ('field', 'record', 'set')),
    field text not null, -- the canonical field; empty for a rule over several
    path text, -- where the source has it
    rule text not null,
    level text not null check (level in ('strict', 'lenient')),
    reason text not null,
    original text, -- the value as the source has it
    opened_at timestamptz not null default now(),
    changed_at timestamptz, -- since when reason and original are these
    closed_at timestamptz,
    closed_run_id bigint references runs on delete set null
);
create unique index validation_issues_open on validation_issues (table_schema, table_name, key, field, rule)
    where closed_at is null;
create index validation_issues_of_run on validation_issues (run_id);

create table quality_scores (
    run_id bigint not null references runs on delete cascade,
    table_schema text not null,
    table_name text not null,
    source text not null,
    entity text not null,
    field text not null, -- empty for the records as such
    records bigint not null, -- alive
    filled bigint not null, -- with a valid value; for the records as such, those that no rule finds fault with
    faulty bigint not null, -- with an open issue
    measured_at timestamptz not null default now(),
    primary key (run_id, table_schema, table_name, field)
);
