-- The rules over many records that come with the target. Users' own have the same form: see docs/business-rules.md.
-- A rule's SELECT names records by source_table and source_id. With `is_broken` it judges those that it names; without,
-- all that it names break the rule and no others do. `changed` has the records that the run has changed, with their
-- entity; the views of the model are found by their names. Two accounts of one CRM are two schemas.
-- Each is linear in the rows of its views: joins on equality, never a subquery that is asked row by row.

-- rule: deals.unknown_stage
-- reason: is in a stage that its pipeline lacks
with accounts as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account from stages
), known as materialized (
    select crm_source, split_part(source_table, '.', 1) as account, stage_id, array_agg(pipeline_id) as pipelines,
        bool_or(pipeline_id is null) as is_of_all
    from stages
    where stage_id is not null and deleted_at is null
    group by 1, 2, 3
)
select d.source_table, d.source_id, d.deleted_at is null and d.stage_id is not null and (
    s.stage_id is null or not (d.pipeline_id is null or s.is_of_all or d.pipeline_id = any(s.pipelines))
) as is_broken
from deals d
join accounts a on (a.crm_source, a.account) = (d.crm_source, split_part(d.source_table, '.', 1))
left join changed c on (c.entity, c.source_table, c.source_id) = ('deals', d.source_table, d.source_id)
left join known s on (s.crm_source, s.account, s.stage_id) = (a.crm_source, a.account, d.stage_id)
where c.source_id is not null or (select exists (select from changed where entity in ('stages', 'pipelines')));

-- rule: associations.dangling
-- reason: leads to a record that is not there
with open as materialized (
    select table_schema || '.' || table_name as source_table, key as source_id from validation_issues
    where rule = 'associations.dangling' and closed_at is null
), links as not materialized (
    select source_table, source_id, crm_source, split_part(source_table, '.', 1) as account, from_entity, from_id,
        to_entity, to_id
    from associations
    where deleted_at is null
), asked as materialized (
    -- one branch for each way of being concerned: a join with nothing reads no links
    select l.* from links l join open o on (o.source_table, o.source_id) = (l.source_table, l.source_id)
    union
    select l.* from links l join changed c on (c.source_table, c.source_id) = (l.source_table, l.source_id)
    union
    select l.* from links l join changed c on (c.entity, c.crm_source, split_part(c.source_table, '.', 1), c.source_id)
        = (l.from_entity, l.crm_source, l.account, l.from_id)
    union
    select l.* from links l join changed c on (c.entity, c.crm_source, split_part(c.source_table, '.', 1), c.source_id)
        = (l.to_entity, l.crm_source, l.account, l.to_id)
), ends as materialized (
    select source_table, source_id, crm_source, account, to_entity as entity, to_id as id from asked
    union
    select source_table, source_id, crm_source, account, from_entity, from_id from asked
), alive as materialized (
    select e.* from ends e
    join contacts r
        on (r.crm_source, split_part(r.source_table, '.', 1), r.source_id) = (e.crm_source, e.account, e.id)
    where e.entity = 'contacts' and r.deleted_at is null
    union
    select e.* from ends e
    join companies r
        on (r.crm_source, split_part(r.source_table, '.', 1), r.source_id) = (e.crm_source, e.account, e.id)
    where e.entity = 'companies' and r.deleted_at is null
    union
    select e.* from ends e
    join deals r
        on (r.crm_source, split_part(r.source_table, '.', 1), r.source_id) = (e.crm_source, e.account, e.id)
    where e.entity = 'deals' and r.deleted_at is null
), lacking as materialized (
    select * from ends where entity in ('contacts', 'companies', 'deals')
    except select * from alive
), loaded as materialized (
    select n.* from (select distinct entity, crm_source, account from lacking) n
    where case n.entity
        when 'contacts' then exists (
            select from contacts where (crm_source, split_part(source_table, '.', 1)) = (n.crm_source, n.account)
        )
        when 'companies' then exists (
            select from companies where (crm_source, split_part(source_table, '.', 1)) = (n.crm_source, n.account)
        )
        else exists (
            select from deals where (crm_source, split_part(source_table, '.', 1)) = (n.crm_source, n.account)
        )
    end
), dangling as materialized (
    select * from lacking join loaded using (entity, crm_source, account)
)
select source_table, source_id, true as is_broken
from dangling
union all
select o.source_table, o.source_id, false
from open o left join dangling d using (source_table, source_id)
where d.source_id is null;

-- rule: contacts.shared_email
-- reason: has an e-mail address that many contacts of this source have
with living as not materialized (
    select crm_source, split_part(source_table, '.', 1) as account, email,
        hashtextextended(email, hashtext(crm_source || split_part(source_table, '.', 1))) as hash
    from contacts where email is not null and deleted_at is null
), suspect as materialized (
    -- numbers are counted in half the time of texts, and what is left of most sources is nothing
    select hash from living group by 1 having count(*) > current_setting('crmdb.max_shared_email')::integer
), shared as materialized (
    select crm_source, account, email from living join suspect using (hash)
    group by 1, 2, 3 having count(*) > current_setting('crmdb.max_shared_email')::integer
), sharers as materialized (
    select c.source_table, c.source_id, s.* from contacts c
    join shared s on (s.crm_source, s.account, s.email) = (c.crm_source, split_part(c.source_table, '.', 1), c.email)
    where c.deleted_at is null
), touched as materialized (
    select distinct s.crm_source, s.account, s.email from sharers s
    join changed c on (c.entity, c.source_table, c.source_id) = ('contacts', s.source_table, s.source_id)
), open as materialized (
    select table_schema || '.' || table_name as source_table, key as source_id from validation_issues
    where rule = 'contacts.shared_email' and closed_at is null
)
select s.source_table, s.source_id, true as is_broken
from sharers s join touched t using (crm_source, account, email)
union all
select o.source_table, o.source_id, false
from open o left join sharers s using (source_table, source_id)
where s.source_id is null;

-- rule: contacts.owner
-- reason: has an owner who is unknown or inactive
with accounts as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account from owners
), active as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account, source_id from owners
    where is_active is not false and deleted_at is null
), turned as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account, source_id from changed
    where entity = 'owners'
)
select r.source_table, r.source_id, r.deleted_at is null and r.owner_id is not null and o.source_id is null as is_broken
from contacts r
join accounts a on (a.crm_source, a.account) = (r.crm_source, split_part(r.source_table, '.', 1))
left join changed c on (c.entity, c.source_table, c.source_id) = ('contacts', r.source_table, r.source_id)
left join turned t on (t.crm_source, t.account, t.source_id) = (a.crm_source, a.account, r.owner_id)
left join active o on (o.crm_source, o.account, o.source_id) = (a.crm_source, a.account, r.owner_id)
where c.source_id is not null or t.source_id is not null;

-- rule: companies.owner
-- reason: has an owner who is unknown or inactive
with accounts as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account from owners
), active as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account, source_id from owners
    where is_active is not false and deleted_at is null
), turned as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account, source_id from changed
    where entity = 'owners'
)
select r.source_table, r.source_id, r.deleted_at is null and r.owner_id is not null and o.source_id is null as is_broken
from companies r
join accounts a on (a.crm_source, a.account) = (r.crm_source, split_part(r.source_table, '.', 1))
left join changed c on (c.entity, c.source_table, c.source_id) = ('companies', r.source_table, r.source_id)
left join turned t on (t.crm_source, t.account, t.source_id) = (a.crm_source, a.account, r.owner_id)
left join active o on (o.crm_source, o.account, o.source_id) = (a.crm_source, a.account, r.owner_id)
where c.source_id is not null or t.source_id is not null;

-- rule: deals.owner
-- reason: has an owner who is unknown or inactive
with accounts as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account from owners
), active as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account, source_id from owners
    where is_active is not false and deleted_at is null
), turned as materialized (
    select distinct crm_source, split_part(source_table, '.', 1) as account, source_id from changed
    where entity = 'owners'
)
select r.source_table, r.source_id, r.deleted_at is null and r.owner_id is not null and o.source_id is null as is_broken
from deals r
join accounts a on (a.crm_source, a.account) = (r.crm_source, split_part(r.source_table, '.', 1))
left join changed c on (c.entity, c.source_table, c.source_id) = ('deals', r.source_table, r.source_id)
left join turned t on (t.crm_source, t.account, t.source_id) = (a.crm_source, a.account, r.owner_id)
left join active o on (o.crm_source, o.account, o.source_id) = (a.crm_source, a.account, r.owner_id)
where c.source_id is not null or t.source_id is not null;
