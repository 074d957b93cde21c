-- How much of each control's evidence is there, by system.
select
    period_id,
    control_id,
    system,
    instance,
    count(*) as population,
    count(*) filter (outcome <> 'pending') as tested,
    count(*) filter (outcome = 'indeterminate') as indeterminate,
    round((count(*) filter (outcome <> 'pending') - count(*) filter (outcome = 'indeterminate'))
        / nullif(count(*) filter (outcome <> 'pending'), 0), 6) as evidence_coverage
from {{ ref('fct_control_operations') }}
group by period_id, control_id, system, instance
