-- Changes to code as their latest export shows them. A later export without reviews does not take away those that an
-- earlier one shows. Where an export does not name the repository, its instance does. Whether the branch was protected
-- is what the export says, else what the audit log last said of it before the merge; GitHub logs a merge past a rule a
-- moment after it.
with

shown as (
    select * replace (
        coalesce(repository, instance) as repository,
        coalesce(repository, instance) || '#' || split_part(change_id, '#', -1) as change_id
    )
    from {{ delivered(['stg_github__pull_requests']) }}
),

reviewed as (
    select system, instance, change_id, reviews, collected_at as reviews_collected_at, evidence as reviews_evidence
    from shown
    where reviews is not null
    qualify row_number() over (
        partition by system, instance, change_id
        order by updated_at desc nulls last, collected_at desc, evidence desc
    ) = 1
),

latest as (
    select *
    from shown
    qualify row_number() over (
        partition by system, instance, change_id
        order by updated_at desc nulls last, collected_at desc, evidence desc
    ) = 1
),

protections as (
    select
        latest.system,
        latest.instance,
        latest.change_id,
        max_by(protection.is_protected, (protection.occurred_at, protection.evidence)) as is_protected,
        max_by(protection.evidence, (protection.occurred_at, protection.evidence)) as evidence
    from latest
    inner join {{ delivered(['stg_github__branch_protections']) }} as protection
        on latest.system = protection.system and latest.repository = protection.repository
        and (latest.base_branch = protection.branch or latest.base_branch glob protection.branch)
        and protection.occurred_at <= latest.merged_at + interval 1 minute
    group by latest.system, latest.instance, latest.change_id
)

select
    latest.source_system,
    latest.source_feed,
    latest.system,
    latest.instance,
    latest.repository,
    latest.change_id,
    latest.base_branch,
    coalesce(latest.is_protected, protections.is_protected) as is_protected,
    latest.author_id,
    latest.merged_by_id,
    latest.created_at,
    latest.updated_at,
    latest.merged_at,
    latest.title,
    latest.head_sha,
    reviewed.reviews,
    reviewed.reviews_collected_at,
    latest.collected_at,
    list_sort(list_distinct(list_filter(
        [latest.evidence, reviewed.reviews_evidence, protections.evidence], line -> line is not null
    ))) as evidence
from latest
left join reviewed using (system, instance, change_id)
left join protections using (system, instance, change_id)
