-- How to read tickets. A rule without an instance holds for every instance of its system.
select
    sha256,
    record_number,
    system,
    nullif(trim(instance), '') as instance,
    kind,
    match_field,
    trim(match_value) as match_value,
    target_field,
    nullif(target_pattern, '') as target_pattern,
    nullif(trim(entitlement_field), '') as entitlement_field,
    approved_status,
    rejected_status,
    nullif(trim(detected_field), '') as detected_field,
    contained_status
from {{ evidence_records('decisions', 'ticket_rules') }}
