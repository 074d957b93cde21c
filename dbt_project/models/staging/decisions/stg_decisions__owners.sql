-- Who owns an identity, and when.
select
    sha256,
    record_number,
    identity_id,
    lower(trim(owner_email)) as owner_email,
    {{ calendar_date('valid_from') }} as first_day,
    {{ calendar_date('valid_to') }} as last_day
from {{ evidence_records('decisions', 'owners') }}
