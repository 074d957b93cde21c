-- The evidence that has to be there.
select
    sha256,
    record_number,
    system,
    feed,
    coalesce(nullif(instance, ''), 'main') as instance,
    coalesce(try_cast(cadence_days as double), 7) as cadence_days,
    {{ is_yes('sparse') }} as is_sparse,
    {{ is_yes('shows_use') }} as shows_use,
    try_cast(source_retention_days as double) as source_retention_days,
    {{ calendar_date('valid_from') }} as first_day,
    {{ calendar_date('valid_to') }} as last_day
from {{ evidence_records('decisions', 'required_feeds') }}
