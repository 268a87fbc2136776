-- Where every declared field stands: its column and type, `_extra` where it has none, and the column that it left.

alter table tables add column adopted boolean not null default false;

alter table columns
    add column column_type text,
    add column sibling_of text,
    add column retired_at timestamptz,
    drop constraint columns_pkey,
    drop constraint columns_table_schema_table_name_path_key;
create unique index columns_name on columns (table_schema, table_name, column_name) where column_name <> '_extra';
create unique index columns_place on columns (table_schema, table_name, path) where retired_at is null;

alter table schema_log
    add column details text,
    add column records bigint,
    drop constraint schema_log_change_check,
    add check (change in (
        'create table', 'adopt table', 'add column', 'change type', 'add sibling', 'keep in _extra', 'rebuild view',
        'discard value'
    ));
