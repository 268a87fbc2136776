-- In which run a whole read's version was first seen: only a read that began and ended in one run may remove rows.

create table versions (
    table_schema text not null,
    table_name text not null,
    version bigint not null,
    run_id bigint not null references runs on delete cascade,
    primary key (table_schema, table_name, version)
);
