-- Requirements of frameworks, each with the older ids that lead to it.
with

formerly as (
    select
        framework,
        new_version as version,
        new_id as requirement_id,
        string_agg(old_id || ' (' || old_version || ')', ', ' order by old_id, old_version) as former_ids
    from {{ ref('requirement_aliases') }}
    group by all
)

select requirements.*, formerly.former_ids
from {{ ref('requirements') }} as requirements
left join formerly using (framework, version, requirement_id)
