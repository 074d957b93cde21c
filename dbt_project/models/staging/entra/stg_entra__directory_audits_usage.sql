-- What users and service principals did in the directory, per file, account and day. In the unified log a sign-in that
-- failed is called a success of UserLoginFailed.
with

acts as (
    select
        sha256,
        record_number,
        'entra' as source_system,
        'directory_audits' as source_feed,
        'entra' as system,
        coalesce(
            {{ object_id("coalesce(actor_user_id, initiator ->> '$.user.id')") }},
            {{ object_id("coalesce(actor_principal_id, initiator ->> '$.app.servicePrincipalId')") }},
            nullif(regexp_extract(list_filter(unified_actors, actor -> regexp_matches(actor.id, '^(User|ServicePrincipal)_.'))[1].id,
                '^[A-Za-z]+_(.+)$', 1), ''),
            list_filter(unified_actors, actor -> actor.type = '0')[1].id
        ) as account_id,
        cast(null as varchar) as credential_id,
        cast(null as bigint) as version,
        {{ instant('occurred', 'entra/directory_audits') }} as event_at,
        lower(result) in ('success', 'succeeded', 'true') and nullif(logon_error, '') is null
            and {{ bare_words('activity') }} <> 'userloginfailed' as succeeded
    from {{ evidence_records('entra', 'directory_audits') }}
    where coalesce(category, '') not like '%SignInLogs'
),

by_accounts as (
    select * from acts where account_id is not null and succeeded is not null
)

{{ usage_per_day('by_accounts', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
