-- Changes to code as their latest export shows them. A later export without reviews does not take away those that an
-- earlier one shows. Where an export does not name the repository, its instance does.
with

shown as (
    select * replace (coalesce(repository, instance) as repository, coalesce(repository, instance) || '#' || split_part(change_id, '#', -1) as change_id)
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
)

select
    latest.source_system,
    latest.source_feed,
    latest.system,
    latest.instance,
    latest.repository,
    latest.change_id,
    latest.base_branch,
    latest.is_protected,
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
    list_sort(list_distinct(list_filter([latest.evidence, reviewed.reviews_evidence], line -> line is not null))) as evidence
from latest
left join reviewed using (system, instance, change_id)
