-- Audit periods that have begun by as_of.
select
    period_id, start_at, end_at, timezone, as_of, cutoff_at
from {{ ref('dim_periods') }}
