-- Service principals as Graph lists them: the accounts of applications and managed identities. Microsoft's own
-- applications have one in every tenant; their type says so.
select
    sha256,
    record_number,
    'entra' as source_system,
    'service_principals' as source_feed,
    'entra' as system,
    id as account_id,
    display_name as user_name,
    display_name,
    cast(null as varchar) as email,
    case
        when lower(owner_tenant) = 'f8cdef31-a31e-4b4a-93e4-5f571e91255a' then 'microsoft_application'
        when lower(kind) = 'managedidentity' then 'managed_identity'
        when lower(kind) in ('legacy', 'socialidp') then lower(kind)
        else 'service_principal'
    end as account_type,
    coalesce(lower(account_enabled) <> 'false', true) and {{ instant('deleted') }} is null as is_enabled,
    {{ instant('created') }} as opened_at,
    {{ instant('deleted') }} as closed_at,
    cast(null as timestamp) as last_used_at,
    cast(null as varchar) as employee_number,
    {{ graph_tags('tags', 'owners') }} as tags,
    'service_principals' as absence_scope,
    'service_principals' as listing_scope
from {{ evidence_records('entra', 'service_principals') }}
