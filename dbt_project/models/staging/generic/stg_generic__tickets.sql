-- Tickets in our own CSV.
select
    sha256,
    record_number,
    'generic' as source_system,
    'tickets' as source_feed,
    ticket_id,
    nullif(kind, '') as kind,
    nullif(status, '') as status,
    {{ instant('created_at') }} as created_at,
    cast(null as timestamp) as updated_at,
    lower(nullif(requester_email, '')) as requester_email
from {{ evidence_records('generic', 'tickets') }}
