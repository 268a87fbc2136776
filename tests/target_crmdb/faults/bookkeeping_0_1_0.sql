-- The bookkeeping that target-crmdb 0.1.0 leaves: its migrations, one run that went well and one that was killed.

CREATE SCHEMA _crmdb;
SET search_path TO _crmdb;
CREATE TABLE migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
INSERT INTO migrations (version, name) VALUES (1, '0001_bookkeeping.sql'), (2, '0002_versions.sql');


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

create table versions (
    table_schema text not null,
    table_name text not null,
    version bigint not null,
    run_id bigint not null references runs on delete cascade,
    primary key (table_schema, table_name, version)
);

INSERT INTO runs (source, target_schema, status, ended_at, pid, host, versions) VALUES
    ('other', 'crm_test', 'success', now(), 1, 'here', '{"target-crmdb": "0.1.0"}'),
    ('other', 'crm_test', 'running', NULL, 2, 'here', '{"target-crmdb": "0.1.0"}');
INSERT INTO run_streams (run_id, stream, table_schema, table_name, status, seen, created) VALUES
    (1, 'contacts', 'crm_test', 'contacts', 'success', 1, 1);
INSERT INTO state (run_id, state) VALUES (1, '{"bookmarks": "old"}');
INSERT INTO rejects (run_id, stream, line, key, stage, field, error_class, reason, payload) VALUES
    (1, 'contacts', 3, '["3"]', 'validate', 'at', 'invalid_datetime', 'at: not a date', '{}');
INSERT INTO tables (table_schema, table_name, stream, key_properties) VALUES ('crm_test', 'contacts', 'contacts', '{id}');
INSERT INTO columns (table_schema, table_name, column_name, path) VALUES
    ('crm_test', 'contacts', 'id', '{id}'), ('crm_test', 'contacts', 'at', '{at}');
INSERT INTO schema_log (run_id, table_schema, table_name, change) VALUES (1, 'crm_test', 'contacts', 'create table');

CREATE SCHEMA crm_test;
CREATE TABLE crm_test.contacts (
    id text, at timestamptz, _sdc_deleted_at timestamptz, _extra jsonb, PRIMARY KEY (id)
);
INSERT INTO crm_test.contacts (id) VALUES ('1');
