-- Calls made as an IAM user or as root, per file, account, access key and day.
with

calls as (
    select
        sha256,
        record_number,
        'aws' as source_system,
        'cloudtrail' as source_feed,
        'aws' as system,
        coalesce(
            case when user_type = 'Root' then 'arn:aws:iam::' || coalesce(user_account_id, recipient_account_id) || ':root' end,
            user_arn
        ) as account_id,
        case when access_key_id like 'AKIA%' then access_key_id end as credential_id,
        cast(null as bigint) as version,
        {{ instant('event_time') }} as event_at,
        nullif(error_code, '') is null and coalesce(console_login, 'Success') = 'Success' as succeeded
    from {{ evidence_records('aws', 'cloudtrail') }}
    where user_type in ('IAMUser', 'Root') and (user_arn is not null or user_type = 'Root')
)

{{ usage_per_day('calls', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
