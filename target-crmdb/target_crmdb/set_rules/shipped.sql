-- The rules over many records that come with the target. Users' own have the same form: see docs/business-rules.md.
-- A rule's SELECT names records by source_table and source_id. With `is_broken` it judges those that it names; without,
-- all that it names break the rule and no others do. `changed` has the records that the run has changed, with their
-- entity; the views of the model are found by their names. Two accounts of one CRM are two schemas.

-- rule: deals.unknown_stage
-- reason: is in a stage that its pipeline lacks
select d.source_table, d.source_id, d.deleted_at is null and d.stage_id is not null and not exists (
    select from stages s
    where s.crm_source = d.crm_source and split_part(s.source_table, '.', 1) = split_part(d.source_table, '.', 1)
        and s.stage_id = d.stage_id and coalesce(s.pipeline_id = d.pipeline_id, true) and s.deleted_at is null
) as is_broken
from deals d
where (
    (d.source_table, d.source_id) in (select source_table, source_id from changed where entity = 'deals')
    or exists (select from changed where entity in ('stages', 'pipelines'))
) and (d.crm_source, split_part(d.source_table, '.', 1)) in (
    select crm_source, split_part(source_table, '.', 1) from stages
);

-- rule: associations.dangling
-- reason: leads to a record that is not there
with known as (
    select 'contacts' as entity, crm_source, split_part(source_table, '.', 1) as account, source_id, deleted_at
    from contacts
    union all select 'companies', crm_source, split_part(source_table, '.', 1), source_id, deleted_at from companies
    union all select 'deals', crm_source, split_part(source_table, '.', 1), source_id, deleted_at from deals
), accounts as (
    select distinct entity, crm_source, account from known
), links as (
    select a.*, split_part(a.source_table, '.', 1) as account
    from associations a
    where a.deleted_at is null and (
        (a.source_table, a.source_id) in (select source_table, source_id from changed)
        or (a.from_entity, a.from_id) in (select entity, source_id from changed)
        or (a.to_entity, a.to_id) in (select entity, source_id from changed)
    )
)
select a.source_table, a.source_id, exists (
    select from accounts n
    where (n.entity, n.crm_source, n.account) = (a.to_entity, a.crm_source, a.account) and not exists (
        select from known k
        where (k.entity, k.crm_source, k.account, k.source_id) = (a.to_entity, a.crm_source, a.account, a.to_id)
            and k.deleted_at is null
    )
) or exists (
    select from accounts n
    where (n.entity, n.crm_source, n.account) = (a.from_entity, a.crm_source, a.account) and not exists (
        select from known k
        where (k.entity, k.crm_source, k.account, k.source_id) = (a.from_entity, a.crm_source, a.account, a.from_id)
            and k.deleted_at is null
    )
) as is_broken
from links a;

-- rule: contacts.shared_email
-- reason: has an e-mail address that many contacts of this source have
with touched as (
    select source_table, source_id from changed where entity = 'contacts'
    union
    select table_schema || '.' || table_name, key from validation_issues
    where rule = 'contacts.shared_email' and closed_at is null
), emails as (
    select distinct email from contacts
    where email is not null and deleted_at is null and (source_table, source_id) in (select * from touched)
), shared as (
    select crm_source, split_part(source_table, '.', 1) as account, email from contacts
    where email in (select email from emails) and deleted_at is null
    group by 1, 2, 3 having count(*) > current_setting('crmdb.max_shared_email')::integer
)
select c.source_table, c.source_id, c.deleted_at is null and s.email is not null as is_broken
from contacts c
left join shared s on (s.crm_source, s.account, s.email) = (c.crm_source, split_part(c.source_table, '.', 1), c.email)
where (c.source_table, c.source_id) in (select * from touched) or s.email is not null;

-- rule: contacts.owner
-- reason: has an owner who is unknown or inactive
select r.source_table, r.source_id, r.deleted_at is null and r.owner_id is not null and not exists (
    select from owners o
    where o.crm_source = r.crm_source and split_part(o.source_table, '.', 1) = split_part(r.source_table, '.', 1)
        and o.source_id = r.owner_id and o.is_active is not false and o.deleted_at is null
) as is_broken
from contacts r
where (
    (r.source_table, r.source_id) in (select source_table, source_id from changed where entity = 'contacts')
    or r.owner_id in (select source_id from changed where entity = 'owners')
) and (r.crm_source, split_part(r.source_table, '.', 1)) in (
    select crm_source, split_part(source_table, '.', 1) from owners
);

-- rule: companies.owner
-- reason: has an owner who is unknown or inactive
select r.source_table, r.source_id, r.deleted_at is null and r.owner_id is not null and not exists (
    select from owners o
    where o.crm_source = r.crm_source and split_part(o.source_table, '.', 1) = split_part(r.source_table, '.', 1)
        and o.source_id = r.owner_id and o.is_active is not false and o.deleted_at is null
) as is_broken
from companies r
where (
    (r.source_table, r.source_id) in (select source_table, source_id from changed where entity = 'companies')
    or r.owner_id in (select source_id from changed where entity = 'owners')
) and (r.crm_source, split_part(r.source_table, '.', 1)) in (
    select crm_source, split_part(source_table, '.', 1) from owners
);

-- rule: deals.owner
-- reason: has an owner who is unknown or inactive
select r.source_table, r.source_id, r.deleted_at is null and r.owner_id is not null and not exists (
    select from owners o
    where o.crm_source = r.crm_source and split_part(o.source_table, '.', 1) = split_part(r.source_table, '.', 1)
        and o.source_id = r.owner_id and o.is_active is not false and o.deleted_at is null
) as is_broken
from deals r
where (
    (r.source_table, r.source_id) in (select source_table, source_id from changed where entity = 'deals')
    or r.owner_id in (select source_id from changed where entity = 'owners')
) and (r.crm_source, split_part(r.source_table, '.', 1)) in (
    select crm_source, split_part(source_table, '.', 1) from owners
);
