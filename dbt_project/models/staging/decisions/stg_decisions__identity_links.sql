-- Which accounts belong to whom, where a person decided it.
select sha256, record_number, system, native_id, identity_id, nullif(identity_type, '') as identity_type, decided_by, reason
from {{ evidence_records('decisions', 'identity_links') }}
