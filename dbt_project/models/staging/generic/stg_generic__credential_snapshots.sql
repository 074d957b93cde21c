-- Credentials in our own CSV.
select
    sha256,
    record_number,
    'generic' as source_system,
    'credentials' as source_feed,
    system,
    nullif(account_id, '') as account_id,
    credential_id,
    cast(null as varchar) as slot,
    credential_type,
    lower(custody) as custody,
    coalesce(nullif(name, ''), credential_id) as name,
    try_cast(version as bigint) as version,
    {{ is_yes('active') }} as is_active,
    false as is_destroyed,
    {{ instant('created_at') }} as created_at,
    {{ instant('deactivated_at') }} as deactivated_at,
    cast(null as timestamp) as expires_at,
    {{ instant('last_used_at') }} as last_used_at,
    {{ tag_map('tags') }} as tags,
    system as absence_scope,
    cast(null as varchar) as listing_scope
from {{ evidence_records('generic', 'credentials') }}
