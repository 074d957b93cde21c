-- Accounts in our own CSV.
select
    sha256,
    record_number,
    'generic' as source_system,
    'accounts' as source_feed,
    system,
    account_id,
    coalesce(nullif(user_name, ''), account_id) as user_name,
    nullif(display_name, '') as display_name,
    lower(nullif(email, '')) as email,
    nullif(account_type, '') as account_type,
    {{ is_yes('enabled') }} as is_enabled,
    {{ instant('created_at') }} as opened_at,
    least({{ instant('disabled_at') }}, {{ instant('deleted_at') }}) as closed_at,
    {{ instant('last_used_at') }} as last_used_at,
    cast(null as varchar) as employee_number,
    {{ tag_map('tags') }} as tags,
    system as absence_scope
from {{ evidence_records('generic', 'accounts') }}
