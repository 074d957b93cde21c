-- Lifecycle events in our own CSV, for any system without a reader.
select
    sha256,
    record_number,
    'generic' as source_system,
    'events' as source_feed,
    system,
    coalesce(nullif(event_id, ''), record_hash) as event_id,
    {{ instant('occurred_at') }} as occurred_at,
    case when action like 'account%' then 3001 when action like 'entitlement%' then 3005 else 3004 end as ocsf_class,
    action,
    account_id,
    cast(null as varchar) as account_name,
    cast(null as varchar) as account_scope,
    credential_id,
    credential_type,
    try_cast(version as bigint) as version,
    actor_id,
    nullif(trim(entitlement), '') as entitlement,
    cast(null as varchar) as entitlement_name,
    cast(null as varchar) as entitlement_type,
    cast(null as boolean) as is_privileged
from {{ evidence_records('generic', 'events') }}
where coalesce(nullif(lower(outcome), ''), 'success') = 'success' and action not in ('login', 'use')
