-- Audit periods; start and end are days of the period's own zone.
select
    sha256,
    record_number,
    period_id,
    {{ calendar_date('"start"') }} as start_date,
    {{ calendar_date('"end"') }} as end_date,
    coalesce(nullif(timezone, ''), 'UTC') as timezone
from {{ evidence_records('decisions', 'periods') }}
