-- Service account keys as their listing has them. Google rotates the keys it manages by itself: they are a type of their
-- own, which is in no population. An answer too old to say whose a key is shows it by its life: Google's own end within
-- weeks.
with

keys as (
    select
        *,
        {{ instant('valid_after') }} as created_at,
        {{ instant('valid_before') }} as ends_at
    from {{ evidence_records('gcp', 'service_account_keys') }}
)

select
    sha256,
    record_number,
    'gcp' as source_system,
    'service_account_keys' as source_feed,
    'gcp' as system,
    regexp_extract(name, 'serviceAccounts/([^/]+)/', 1) as account_id,
    {{ gcp_key_name('name', 'null', 'null') }} as credential_id,
    cast(null as varchar) as slot,
    case
        when coalesce(upper(key_type) = 'SYSTEM_MANAGED', ends_at <= created_at + interval 60 days, false) then 'vendor_managed_key'
        else 'service_account_key'
    end as credential_type,
    'key' as custody,
    cast(null as varchar) as name,
    cast(null as bigint) as version,
    lower(coalesce(disabled, 'false')) <> 'true' as is_active,
    false as is_destroyed,
    created_at,
    cast(null as timestamp) as deactivated_at,
    case when ends_at < timestamp '9999-01-01' then ends_at end as expires_at,
    cast(null as timestamp) as last_used_at,
    {{ no_tags() }} as tags,
    regexp_replace(name, '/keys/[^/]+$', '/keys') as absence_scope
from keys
