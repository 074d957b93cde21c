-- How to read tickets.
select
    sha256, record_number, system, coalesce(nullif(instance, ''), 'main') as instance, kind, match_field, match_value,
    target_field, target_pattern, entitlement_field, approved_status, rejected_status, detected_field, contained_status
from {{ evidence_records('decisions', 'ticket_rules') }}
