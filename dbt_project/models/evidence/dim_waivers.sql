-- Approved exceptions in force in each period. A waiver excuses only what began while it was approved and in force.
select
    periods.period_id,
    waivers.waiver_id,
    waivers.control_id,
    waivers.system,
    waivers.subject_id,
    greatest(
        {{ local_midnight('waivers.first_day', 'periods.timezone') }},
        coalesce({{ local_midnight('waivers.approved_on + 1', 'periods.timezone') }}, waivers.approved_at)
    ) as in_force_from,
    {{ local_midnight('waivers.last_day + 1', 'periods.timezone') }} as in_force_until,
    waivers.approved_by,
    waivers.approved_at,
    waivers.reason,
    waivers.decision_evidence as waiver_evidence
from {{ in_force('waivers') }} as waivers
cross join {{ ref('dim_periods') }} as periods
where waivers.approved_at is not null and waivers.approved_by is not null
