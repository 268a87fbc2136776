-- The canonical model: which mapping a table's rows follow, where normal forms stand, and the views made of them.

alter table tables add column source text; -- the CRM whose mapping applies
update tables t set source = (
    select r.source from runs r where r.target_schema = t.table_schema order by run_id desc limit 1
);

create table mappings (
    table_schema text not null,
    source text not null,
    own json, -- what the setting `mapping` adds to the file that is shipped
    recorded_at timestamptz not null default now(),
    primary key (table_schema, source)
);

create table normal_columns (
    table_schema text not null,
    table_name text not null,
    column_name text not null,
    path text not null, -- as the mapping writes it
    form text not null, -- the canonical type, with its options
    added_at timestamptz not null default now(),
    filled_at timestamptz, -- since when the rows that were there before have their values too
    filled_until jsonb, -- the key that `crmdb mapping apply` has come to
    retired_at timestamptz, -- since when it is no longer written
    primary key (table_schema, table_name, column_name),
    foreign key (table_schema, table_name) references tables on delete cascade
);
create unique index normal_columns_form on normal_columns (table_schema, table_name, path, form)
    where retired_at is null;

create table model_views (
    view_schema text not null,
    view_name text not null,
    digest text not null,
    made_at timestamptz not null default now(),
    waits_for text, -- why a newer definition could not be made yet
    primary key (view_schema, view_name)
);

alter table schema_log
    drop constraint schema_log_change_check,
    add check (change in (
        'create table', 'adopt table', 'add column', 'change type', 'add sibling', 'keep in _extra', 'rebuild view',
        'discard value', 'add normal column'
    ));
