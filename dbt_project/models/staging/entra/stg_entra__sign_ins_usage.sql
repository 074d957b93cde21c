-- Sign-ins of users, service principals and managed identities, per file, account, credential and day.
with

-- Steps on the way to a sign-in (asked to stay signed in, to prove a second factor, to consent, to pick an account):
-- neither use nor a failed attempt. A sign-in that goes on has a record of its own.
interrupts as (
    select unnest(['16000', '16001', '50055', '50058', '50072', '50074', '50076', '50079', '50097', '50125', '50127',
        '50129', '50140', '50143', '50158', '50199', '50203', '51006', '65001', '399218', '502031', '1002013']) as code
),

records as (
    select
        *,
        coalesce(nullif(trim(error_code), ''), nullif(trim(result_type), '')) as code,
        coalesce(category, event_types, '') as kind
    from {{ evidence_records('entra', 'sign_ins') }}
    where coalesce(category, 'SignInLogs') like '%SignInLogs'
),

attempts as (
    select
        *,
        case
            when lower(code) in ('0', 'success') then true
            when code in (select code from interrupts) then null
            when code is not null then false
        end as succeeded,
        regexp_matches(kind, '(?i)managedIdentity')
            or lower(coalesce(managed_identity_type, 'none')) not in ('', 'none') as is_managed_identity,
        regexp_matches(kind, '(?i)servicePrincipal|managedIdentity') as is_principal
    from records
),

sign_ins as (
    select
        sha256,
        record_number,
        'entra' as source_system,
        'sign_ins' as source_feed,
        'entra' as system,
        case when is_principal then {{ object_id('principal_id') }}
            else coalesce({{ object_id('user_id') }}, {{ object_id('principal_id') }}) end as account_id,
        -- Microsoft rotates the keys of managed identities; they are nobody's to rotate.
        case when not is_managed_identity then lower({{ object_id('credential_key_id') }}) end as credential_id,
        cast(null as bigint) as version,
        {{ instant('occurred', 'entra/sign_ins') }} as event_at,
        succeeded
    from attempts
    where succeeded is not null
),

by_accounts as (
    select * from sign_ins where account_id is not null
)

{{ usage_per_day('by_accounts', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
