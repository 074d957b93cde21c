-- Secrets and certificates as Graph lists them, on application objects and on service principals. The begin of validity
-- stands for the creation, which Graph does not state. What a managed identity holds, Microsoft rotates.
with

applications as (
    select sha256, record_number, 'applications' as source_feed, 'applications' as listing_scope,
        id as account_id, display_name,
        {{ graph_tags('tags', 'owners') }} as tags, {{ credentials_in_any_spelling() }}
    from {{ evidence_records('entra', 'applications') }}
),

service_principals as (
    select sha256, record_number, 'service_principals' as source_feed, 'service_principals' as listing_scope,
        id as account_id, display_name,
        {{ graph_tags('tags', 'owners') }} as tags, {{ credentials_in_any_spelling() }}
    from {{ evidence_records('entra', 'service_principals') }}
    where lower(coalesce(kind, '')) <> 'managedidentity'
),

holders as (
    select * from applications
    union all by name
    select * from service_principals
),

listed as (
    select *
    from {{ listed_credentials('holders',
        ['sha256', 'record_number', 'source_feed', 'listing_scope', 'account_id', 'display_name', 'tags']) }}
)

select
    sha256,
    record_number,
    'entra' as source_system,
    source_feed,
    'entra' as system,
    account_id,
    lower(entry.key_id) as credential_id,
    cast(null as varchar) as slot,
    credential_type,
    'key' as custody,
    concat_ws(': ', display_name, coalesce(nullif(entry.name, ''), replace(credential_type, '_', ' '))) as name,
    cast(null as bigint) as version,
    true as is_active,
    false as is_destroyed,
    {{ instant('entry.valid_from') }} as created_at,
    cast(null as timestamp) as deactivated_at,
    {{ instant('entry.valid_until') }} as expires_at,
    cast(null as timestamp) as last_used_at,
    tags,
    listing_scope as absence_scope,
    listing_scope
from listed
