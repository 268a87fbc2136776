-- What became of a reject, and under which SCHEMA it was read, so that it can be loaded again without the tap.

create table stream_schemas (
    schema_id bigint generated always as identity primary key,
    table_schema text not null,
    stream text not null, -- as the tap calls it, before stream maps
    digest text not null,
    message text not null, -- the SCHEMA message as it came
    run_id bigint references runs on delete set null, -- the last one that had it
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    unique (table_schema, stream, digest)
);

alter table rejects
    add column status text not null default 'open' check (status in ('open', 'replayed', 'discarded')),
    add column attempts integer not null default 0, -- replays that refused it again
    add column resolved_run_id bigint references runs on delete set null,
    add column resolved_at timestamptz,
    add column schema_id bigint references stream_schemas,
    add check ((status = 'open') = (resolved_at is null));
create index rejects_open on rejects (reject_id) where status = 'open';

alter table runs
    add column kind text not null default 'load' check (kind in ('load', 'replay')),
    add column mapped boolean not null default false; -- whether stream maps or flattening stood before the tables
