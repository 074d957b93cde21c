-- Patterns that say what kind of identity an account is, where no link names it.
select sha256, record_number, rule_id, nullif(system, '') as system, lower(field) as field, pattern, identity_type
from {{ evidence_records('decisions', 'identity_rules') }}
