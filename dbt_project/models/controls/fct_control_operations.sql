-- The roll call: the operations of every control, in one shape, each with a stable id.
{% set roll_call = [
    'int_control__rotation',
    'int_control__access_review',
    'int_control__leaver_offboarding',
    'int_control__log_continuity',
    'int_control__evidence_cadence',
    'int_control__dormant_identities',
    'int_control__access_approval',
    'int_control__nhi_ownership',
    'int_control__review_follow_through',
    'int_control__nhi_decommissioning',
    'int_control__incident_containment',
    'int_control__change_approval',
    'int_control__vault_custody',
] %}
with

operations as (
    {% for model in roll_call %}
    select
        period_id, control_id, subject_type, subject_id, subject_name, system, instance, identity_id, entitlement, cycle,
        distinguished_by, opened_at, due_at, performed_at, measure_name, measure_value, threshold_value, unit, outcome,
        reason, reason_text, waiver_id, began_at, evidence
    from {{ ref(model) }}
    {{ 'union all by name' if not loop.last }}
    {% endfor %}
)

select
    left(sha256(concat_ws(chr(31),
        period_id, control_id, system, instance, subject_type, subject_id, entitlement, cycle, distinguished_by,
        coalesce(cast(opened_at as varchar), '')
    )), 32) as operation_id,
    * exclude (distinguished_by, evidence),
    array_to_string(evidence, ' ') as evidence
from operations
