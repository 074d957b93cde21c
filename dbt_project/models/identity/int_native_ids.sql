-- Names that a record may use for something to the native id that the vendor treats as immutable: a Secrets Manager
-- secret's name or partial ARN to its ARN, a Google service account's address to its unique id, an Entra application's
-- object id or client id to its service principal, which is the account that its secrets open. What is deleted and made
-- anew under one name gets another native id, so each holds from when it was first seen; the first also for what came
-- before.
with

secret_arns as (
    select instance, credential_id as native_id, coalesce(created_at, collected_at) as seen_at, true as is_listed
    from {{ delivered(['stg_aws__credential_snapshots']) }}
    where credential_type = 'secrets_manager_secret'
    union all
    select instance, credential_id, occurred_at, false
    from {{ delivered(['stg_aws__events']) }}
    where credential_type = 'secrets_manager_secret'
),

-- An ARN ends in a hyphen and six random characters; one that a call gives without them may seem to as well. What an
-- inventory lists is whole, and stands for nothing else.
named as (
    select 'aws' as system, instance, regexp_replace(native_id, '-[A-Za-z0-9]{6}$', '') as alias, native_id, seen_at
    from secret_arns
    where regexp_matches(native_id, '-[A-Za-z0-9]{6}$') and not exists (
        select 1
        from secret_arns as listed
        where listed.is_listed and listed.instance = secret_arns.instance and (
            listed.native_id = regexp_replace(secret_arns.native_id, '-[A-Za-z0-9]{6}$', '')
            or not secret_arns.is_listed and regexp_replace(listed.native_id, '-[A-Za-z0-9]{6}$', '') = secret_arns.native_id
        )
    )
),

service_accounts as (
    select 'gcp' as system, instance, account_name as alias, account_id as native_id, occurred_at as seen_at
    from {{ delivered(['stg_gcp__events']) }}
    where account_name is not null and regexp_full_match(account_id, '[0-9]+')
),

app_objects as (
    select instance, kind, object_id, app_id, coalesce(seen_at, collected_at) as seen_at
    from {{ delivered(['stg_entra__app_objects']) }}
),

service_principals as (
    select 'entra' as system, principal.instance,
        unnest([principal.app_id] || list(application.object_id) filter (application.object_id is not null)) as alias,
        principal.object_id as native_id, min(principal.seen_at) as seen_at
    from app_objects as principal
    left join app_objects as application
        on principal.instance = application.instance and principal.app_id = application.app_id
        and application.kind = 'application'
    where principal.kind = 'service_principal'
    group by principal.instance, principal.app_id, principal.object_id
),

first_seen as (
    select system, instance, alias, native_id, min(seen_at) as seen_from
    from (
        select * from named
        union all by name
        select * from service_accounts
        union all by name
        select * from service_principals
    )
    where alias <> native_id and seen_at is not null
    group by system, instance, alias, native_id
)

select
    system,
    instance,
    alias,
    native_id,
    case when row_number() over in_turn = 1 then timestamp '0001-01-01' else seen_from end as holds_from,
    coalesce(lead(seen_from) over in_turn, timestamp '9999-01-01') as holds_until
from first_seen
window in_turn as (partition by system, instance, alias order by seen_from, native_id)
