-- Leavers: one row per period, person and end of employment. A date means the end of that day in the period's own zone,
-- so the instant belongs to the period.
select
    periods.period_id,
    employments.person_id as identity_id,
    employments.employee_id,
    employments.full_name,
    employments.identity_type,
    employments.termination_date,
    case
        when employments.termination_at is not null then employments.termination_at
        when employments.termination_date is not null
            then {{ local_midnight('employments.termination_date + 1', 'periods.timezone') }}
    end as terminated_at,
    employments.termination_at is null and employments.termination_date is not null as is_whole_day,
    case when employments.next_hire_date is not null
        then {{ local_midnight('employments.next_hire_date', 'periods.timezone') }} end as rehired_at,
    employments.left_unknown_by,
    employments.left_unknown_because,
    employments.evidence
from {{ ref('int_employments') }} as employments
cross join {{ ref('dim_periods') }} as periods
where employments.termination_date is not null or employments.termination_at is not null
    or employments.left_unknown_by is not null
-- Two employee numbers of one person that end together are one leaving.
qualify row_number() over (
    partition by periods.period_id, identity_id, terminated_at, employments.left_unknown_by
    order by rehired_at nulls last, employments.employee_id, employments.hire_date
) = 1
