-- Bookkeeping of target-crmdb. Runs with search_path set to the bookkeeping schema (setting
-- bookkeeping_schema, _crmdb by default), which exists already.

create table runs (
    run_id bigint generated always as identity primary key,
    source text not null,
    target_schema text not null,
    status text not null default 'running'
        check (status in ('running', 'success', 'partial', 'failed', 'interrupted')),
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    heartbeat_at timestamptz not null default now(),
    pid integer not null,
    host text not null,
    versions json not null,
    error text,
    check ((status = 'running') = (ended_at is null))
);
create index runs_unfinished on runs (run_id) where status = 'running';

create table run_streams (
    run_id bigint not null references runs on delete cascade,
    stream text not null,
    table_schema text,
    table_name text,
    status text not null default 'running'
        check (status in ('running', 'success', 'partial', 'failed', 'interrupted')),
    expected bigint,
    seen bigint not null default 0,
    created bigint not null default 0,
    updated bigint not null default 0,
    unchanged bigint not null default 0,
    stale bigint not null default 0,
    deduplicated bigint not null default 0,
    rejected bigint not null default 0,
    deleted bigint not null default 0,
    api_calls bigint,
    waited_seconds numeric,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (run_id, stream),
    check (seen = created + updated + unchanged + stale + deduplicated + rejected)
);

create table state (
    run_id bigint primary key references runs on delete cascade,
    state json not null,
    committed_at timestamptz not null default now()
);

create table rejects (
    reject_id bigint generated always as identity primary key,
    run_id bigint not null references runs on delete cascade,
    stream text,
    line bigint,
    key text,
    stage text not null check (stage in ('read', 'validate', 'load')),
    field text,
    error_class text not null,
    reason text not null,
    payload text,
    rejected_at timestamptz not null default now()
);
create index rejects_of_run on rejects (run_id, stream);

create table tables (
    table_schema text not null,
    table_name text not null,
    stream text not null,
    key_properties text[] not null,
    created_at timestamptz not null default now(),
    primary key (table_schema, table_name),
    unique (table_schema, stream)
);

create table columns (
    table_schema text not null,
    table_name text not null,
    column_name text not null,
    path text[] not null,
    added_at timestamptz not null default now(),
    primary key (table_schema, table_name, column_name),
    unique (table_schema, table_name, path),
    foreign key (table_schema, table_name) references tables on delete cascade
);

create table schema_log (
    change_id bigint generated always as identity primary key,
    run_id bigint references runs on delete set null,
    table_schema text not null,
    table_name text not null,
    change text not null check (change in ('create table', 'add column', 'change type')),
    column_name text,
    from_type text,
    to_type text,
    changed_at timestamptz not null default now()
);
