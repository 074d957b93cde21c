-- Policy parameters with the days they hold.
select
    sha256,
    record_number,
    control_id,
    parameter,
    trim(value) as value,
    trim(coalesce(scope, '')) as scope,
    {{ calendar_date('valid_from') }} as first_day,
    {{ calendar_date('valid_to') }} as last_day,
    approved_by,
    reason
from {{ evidence_records('decisions', 'policies') }}
