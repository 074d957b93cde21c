-- Approved exceptions. An approval dated by its day alone counts from the end of that day.
select
    sha256,
    record_number,
    waiver_id,
    control_id,
    nullif(system, '') as system,
    subject_id,
    {{ calendar_date('first_day') }} as first_day,
    {{ calendar_date('last_day') }} as last_day,
    approved_by,
    {{ instant('approved_at') }} as approved_at,
    {{ bare_day('approved_at') }} as approved_on,
    reason
from {{ evidence_records('decisions', 'waivers') }}
