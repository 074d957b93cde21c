-- The figures and the conclusion of every control in every period. "Effective" is the auditor's word, not ours.
with

every_control as (
    select periods.period_id, controls.control_id, controls.title
    from {{ ref('dim_controls') }} as controls
    cross join {{ ref('dim_periods') }} as periods
),

counted as (
    select
        every_control.*,
        count(operations.operation_id) as population,
        count(*) filter (outcome <> 'pending') as tested,
        count(*) filter (outcome = 'operated') as operated,
        count(*) filter (outcome = 'deviation') as deviations,
        count(*) filter (outcome = 'waived') as waived,
        count(*) filter (outcome = 'indeterminate') as indeterminate,
        count(*) filter (outcome = 'pending') as pending
    from every_control
    left join {{ ref('fct_control_operations') }} as operations using (period_id, control_id)
    group by all
),

evidenced as (
    select counted.*, coalesce(bool_and(expectations.passed), true) as is_evidence_complete
    from counted
    left join {{ ref('fct_expectations') }} as expectations using (period_id, control_id)
    group by all
)

select
    *,
    round((tested - indeterminate) / nullif(tested, 0), 6) as evidence_coverage,
    round(deviations / nullif(operated + deviations, 0), 6) as deviation_rate,
    binomial_upper_95(deviations, operated + deviations) as deviation_rate_upper_95,
    case
        when indeterminate > 0 or not is_evidence_complete then 'insufficient_evidence'
        when deviations > 0 or waived > 0 then 'exceptions_noted'
        when tested > 0 then 'no_exceptions_noted'
        else 'no_occurrence'
    end as conclusion
from evidenced
