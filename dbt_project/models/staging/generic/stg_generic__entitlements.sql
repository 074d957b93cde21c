-- Entitlements in our own CSV.
select
    sha256,
    record_number,
    system,
    account_id,
    entitlement,
    nullif(entitlement_type, '') as entitlement_type,
    {{ is_yes('privileged') }} as is_privileged,
    {{ instant('granted_at') }} as granted_at
from {{ evidence_records('generic', 'entitlements') }}
