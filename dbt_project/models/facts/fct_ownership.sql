-- Who stands for each identity, and when: the register's rows in the days of each period's zone, cut to the time in which
-- the owner is an active human by HR. Of a register row remain the stretch in which its owner counts (`active`), the one
-- after the owner left (`left`), or all of it where HR knows nobody of that address (`unknown`).
with

registered as (
    select
        periods.period_id,
        periods.timezone,
        owners.identity_id,
        owners.owner_email,
        coalesce({{ local_midnight('owners.first_day', 'periods.timezone') }}, timestamp '0001-01-01') as registered_from,
        coalesce({{ local_midnight('owners.last_day + 1', 'periods.timezone') }}, timestamp '9999-01-01') as registered_until,
        owners.decision_evidence
    from {{ in_force('owners') }} as owners
    cross join {{ ref('dim_periods') }} as periods
),

-- An address of two people names nobody.
people as (
    select work_email as owner_email, min(person_id) as owner_id
    from {{ ref('int_employments') }}
    where work_email is not null
    group by work_email
    having count(distinct person_id) = 1
),

employed as (
    select
        registered.*,
        people.owner_id,
        coalesce({{ local_midnight('employments.hire_date', 'registered.timezone') }}, timestamp '0001-01-01') as employed_from,
        coalesce(
            employments.termination_at,
            {{ local_midnight('employments.termination_date + 1', 'registered.timezone') }},
            employments.left_unknown_by,
            timestamp '9999-01-01'
        ) as employed_until,
        employments.evidence as employment_evidence
    from registered
    left join people using (owner_email)
    left join {{ ref('int_employments') }} as employments on people.owner_id = employments.person_id
),

cut as (
    select *, 'active' as standing, greatest(registered_from, employed_from) as covered_from,
        least(registered_until, employed_until) as covered_to
    from employed
    where owner_id is not null
    union all by name
    select *, 'left' as standing, greatest(registered_from, employed_until) as covered_from, registered_until as covered_to
    from employed
    where owner_id is not null
    union all by name
    select *, 'unknown' as standing, registered_from as covered_from, registered_until as covered_to
    from employed
    where owner_id is null
)

select
    period_id,
    identity_id,
    owner_email,
    owner_id,
    standing,
    covered_from as owner_from,
    covered_to as owner_until,
    [decision_evidence] || coalesce(employment_evidence, cast([] as varchar[])) as evidence
from cut
where covered_from < covered_to
