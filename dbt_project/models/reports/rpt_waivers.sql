-- Approved exceptions that excuse an operation of the period: who approved what, when and why.
select
    waivers.period_id, waivers.waiver_id, waivers.control_id, waivers.system, waivers.subject_id,
    waivers.in_force_from, waivers.in_force_until, waivers.approved_by, waivers.approved_at, waivers.reason,
    waivers.waiver_evidence as evidence
from {{ ref('dim_waivers') }} as waivers
semi join {{ ref('fct_control_operations') }} as operations
    on waivers.period_id = operations.period_id and waivers.control_id = operations.control_id
    and waivers.waiver_id = operations.waiver_id and operations.outcome = 'waived'
