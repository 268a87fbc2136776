-- What a commit is known by, who owns a stream, and what the history tells of a run.

create table batches (
    run_id bigint not null references runs on delete cascade,
    batch_number bigint not null,
    records bigint not null,
    bytes bigint not null,
    seconds double precision not null,
    committed_at timestamptz not null default clock_timestamp(),
    primary key (run_id, batch_number)
);

alter table tables
    add column fence bigint, -- the run that may write the stream
    add column epoch bigint; -- append-only: the run with which the present epoch began

alter table runs
    add column peak_memory_mb integer,
    add column state_before json,
    add column load_method text;

alter table run_streams
    add column bytes bigint not null default 0,
    add column batches bigint not null default 0,
    add column batch_seconds_p50 double precision,
    add column batch_seconds_p95 double precision;
