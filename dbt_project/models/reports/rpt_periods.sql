-- Audit periods that have begun by as_of.
select
    period_id, start_at, end_at, timezone, as_of, cutoff_at,
    {{ sql_text(tojson(var('feed_timezones'), sort_keys=true)) }} as feed_timezones
from {{ ref('dim_periods') }}
