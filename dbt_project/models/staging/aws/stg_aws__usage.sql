-- Use per file, subject and day: calls made as an IAM user or as root, with the access key that signed them; calls made
-- in a role's session, and taking the role on; reads of secrets.
with

records as (
    select
        *,
        {{ instant('event_time') }} as event_at,
        nullif(error_code, '') is null and coalesce(console_login, 'Success') = 'Success' as succeeded
    from {{ evidence_records('aws', 'cloudtrail') }}
),

subjects as (
    select sha256, record_number, event_at, succeeded,
        case
            when user_type = 'Root' then 'arn:aws:iam::' || coalesce(user_account_id, recipient_account_id) || ':root'
            when user_type = 'AssumedRole' then session_issuer_arn
            else user_arn
        end as account_id,
        case when access_key_id like 'AKIA%' then access_key_id end as credential_id,
        cast(null as varchar) as version_id
    from records
    where user_type in ('IAMUser', 'Root')
        or (user_type = 'AssumedRole' and session_issuer_arn like 'arn:aws%:iam::%:role/%')
    union all
    select sha256, record_number, event_at, succeeded, request_role_arn, null, null
    from records
    where event_source = 'sts.amazonaws.com' and event_name like 'AssumeRole%'
        and request_role_arn like 'arn:aws%:iam::%:role/%'
    union all
    select sha256, record_number, event_at, succeeded, null, {{ secret_reference(
        'request_secret_id', 'aws_region', 'coalesce(recipient_account_id, user_account_id)'
    ) }}, request_version_id
    from records
    where event_source = 'secretsmanager.amazonaws.com' and event_name = 'GetSecretValue'
),

labelled as (
    select
        *,
        'aws' as source_system,
        'cloudtrail' as source_feed,
        'aws' as system,
        cast(null as bigint) as version
    from subjects
    where account_id is not null or credential_id is not null
)

{{ usage_per_day('labelled', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version', 'version_id']) }}
