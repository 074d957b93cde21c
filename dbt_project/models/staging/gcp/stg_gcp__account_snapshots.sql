-- Service accounts that a listing of keys shows to exist, one row per file. Nothing says whether they are disabled, and an
-- account that a listing leaves out was not asked about.
with

accounts as (
    select
        sha256,
        min(record_number) as record_number,
        regexp_extract(name, 'serviceAccounts/([^/]+)/', 1) as account_id
    from {{ evidence_records('gcp', 'service_account_keys') }}
    where contains(name, 'serviceAccounts/')
    group by sha256, account_id
)

select
    sha256,
    record_number,
    'gcp' as source_system,
    'service_account_keys' as source_feed,
    'gcp' as system,
    account_id,
    account_id as user_name,
    cast(null as varchar) as display_name,
    cast(null as varchar) as email,
    'service_account' as account_type,
    cast(null as boolean) as is_enabled,
    cast(null as timestamp) as opened_at,
    cast(null as timestamp) as closed_at,
    cast(null as timestamp) as last_used_at,
    cast(null as varchar) as employee_number,
    {{ no_tags() }} as tags,
    account_id as absence_scope
from accounts
