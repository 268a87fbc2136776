"""`crmdb quality`: how good the data are, by source, entity and field, now and after each run."""

import click

from target_crmdb.cli.access import Access
from target_crmdb.cli.output import print_rows
from target_crmdb.exceptions import CrmdbError

_SCORES = """
with scored as (
    select q.*, round(100.0 * filled / nullif(filled + faulty, 0), 2) as score,
        row_number() over (partition by table_schema, table_name, field order by run_id desc) as age
    from quality_scores q
    where (%(source)s::text is null or source = %(source)s) and (%(entity)s::text is null or entity = %(entity)s)
)
select n.source, n.table_schema as schema, n.entity, coalesce(nullif(n.field, ''), '(records)') as field, n.records,
    round(100.0 * n.filled / nullif(n.records, 0), 1) as percent_valid, n.faulty, n.score,
    n.score - before.score as change, n.run_id
from scored n
left join scored before on (before.table_schema, before.table_name, before.field, before.age)
    = (n.table_schema, n.table_name, n.field, n.age + 1)
where n.age <= %(runs)s
order by n.source, n.table_schema, n.entity, n.table_name, n.field <> '',
    case when %(runs)s = 1 then n.score end, n.field, n.run_id desc
"""
_ISSUES = """
select source, table_schema as schema, entity, nullif(field, '') as field, rule, count(*) as open,
    min(opened_at) as since, (array_agg(key order by issue_id desc))[1:3] as keys
from validation_issues
where closed_at is null and (%(source)s::text is null or source = %(source)s)
    and (%(entity)s::text is null or entity = %(entity)s)
group by 1, 2, 3, 4, 5 order by count(*) desc, 1, 2, 3, 4, 5
"""


@click.command()
@click.option("--source", help="Only this source, such as hubspot.")
@click.option("--entity", help="Only this entity, such as contacts.")
@click.option("--runs", default=1, show_default=True, type=click.IntRange(min=1), help="After each of the last runs.")
@click.option("--issues", is_flag=True, help="Open issues by field and rule instead, the most frequent first.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Exit code 1 if a score of now is below.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def quality(
    access: Access,
    source: str | None,
    entity: str | None,
    runs: int,
    fail_under: float | None,
    *,
    issues: bool,
    as_json: bool,
) -> None:
    """Show the score of each field: valid values, of a hundred that are there.

    `percent_valid` is of all records, `change` since the run before; `(records)` are those without any open issue.
    """
    chosen = {"source": source, "entity": entity, "runs": runs}
    with access.bookkept() as connection:
        print_rows(connection.execute(_ISSUES if issues else _SCORES, chosen), as_json=as_json, compact=True)
        if fail_under is not None:
            low = [row for row in connection.execute(_SCORES, {**chosen, "runs": 1}) if row[7] is not None]
            names = [f"{row[0]} {row[2]} {row[3]}" for row in low if row[7] < fail_under]
            if names:
                raise CrmdbError(f"Below {fail_under:g}: {', '.join(names)}; `crmdb quality --issues` says why")
