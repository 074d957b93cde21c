-- Evidence gaps that somebody accepted.
select
    sha256,
    record_number,
    period_id,
    subject,
    {{ calendar_date('first_day') }} as first_day,
    {{ calendar_date('last_day') }} as last_day,
    approved_by,
    {{ instant('approved_at') }} as approved_at,
    reason
from {{ evidence_records('decisions', 'gap_acceptances') }}
