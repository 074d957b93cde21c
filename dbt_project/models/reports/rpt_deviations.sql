-- Deviations, waived ones included, with the instant each began.
select
    operation_id, period_id, control_id, subject_type, subject_id, subject_name, system, instance,
    identity_id, entitlement, cycle, opened_at, due_at, performed_at, measure_name, measure_value,
    threshold_value, unit, outcome, reason, reason_text, waiver_id, evidence, began_at
from {{ ref('fct_control_operations') }}
where outcome in ('deviation', 'waived')
