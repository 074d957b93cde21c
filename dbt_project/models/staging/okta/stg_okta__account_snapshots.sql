-- Okta users as the Users API lists them. Locked out, expired and recovering users still have their access;
-- staged ones never had it.
select
    sha256,
    record_number,
    'okta' as source_system,
    'users' as source_feed,
    'okta' as system,
    id as account_id,
    login as user_name,
    coalesce(display_name, nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')) as display_name,
    lower(coalesce(email, case when login like '%@%' then login end)) as email,
    user_type as account_type,
    upper(status) in ('ACTIVE', 'PROVISIONED', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'RECOVERY', 'PASSWORD_RESET')
        as is_enabled,
    coalesce({{ instant('activated') }}, case when upper(status) <> 'STAGED' then {{ instant('created') }} end)
        as opened_at,
    case when upper(status) in ('SUSPENDED', 'DEPROVISIONED') then {{ instant('status_changed') }} end as closed_at,
    {{ instant('last_login') }} as last_used_at,
    nullif(employee_number, '') as employee_number,
    {{ no_tags() }} as tags,
    '' as absence_scope
from {{ evidence_records('okta', 'users') }}
