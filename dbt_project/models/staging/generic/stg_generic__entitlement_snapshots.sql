-- Who holds which group, role, policy or scope, in our own CSV.
select
    sha256,
    record_number,
    'generic' as source_system,
    'entitlements' as source_feed,
    system,
    account_id,
    entitlement,
    cast(null as varchar) as entitlement_name,
    lower(nullif(trim(entitlement_type), '')) as entitlement_type,
    case when nullif(trim(privileged), '') is not null then {{ is_yes('privileged') }} end as is_privileged,
    {{ instant('granted_at') }} as granted_at,
    system as absence_scope
from {{ evidence_records('generic', 'entitlements') }}
