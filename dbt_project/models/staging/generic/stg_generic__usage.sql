-- Logins and uses in our own CSV, per file, subject and day.
with

uses as (
    select
        sha256,
        record_number,
        'generic' as source_system,
        'events' as source_feed,
        system,
        account_id,
        credential_id,
        try_cast(version as bigint) as version,
        {{ instant('occurred_at') }} as event_at,
        coalesce(nullif(lower(outcome), ''), 'success') = 'success' as succeeded
    from {{ evidence_records('generic', 'events') }}
    where action in ('login', 'use')
)

{{ usage_per_day('uses', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
