-- IAM users, their access keys and console passwords: creation, activation, deletion. No errorCode means success.
-- A call on oneself names no user; then the answer does, or the caller is the user.
with

calls as (
    select
        *,
        coalesce(response_access_key_user, request_user_name, response_user_name,
            case when user_type = 'IAMUser' then user_name end) as subject_user_name,
        coalesce(user_account_id, recipient_account_id) as account_scope,
        user_type = 'Root' and coalesce(response_access_key_user, request_user_name) is null as is_root
    from {{ evidence_records('aws', 'cloudtrail') }}
    where event_source = 'iam.amazonaws.com' and nullif(error_code, '') is null
        and event_name in (
            'CreateUser', 'DeleteUser', 'CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey',
            'CreateLoginProfile', 'DeleteLoginProfile'
        )
),

mapped as (
    select
        *,
        case
            when is_root then 'arn:aws:iam::' || account_scope || ':root'
            when event_name = 'CreateUser' then response_user_arn
        end as account_id,
        case
            when event_name = 'CreateUser' then 'account_registered'
            when event_name = 'DeleteUser' then 'account_deleted'
            when event_name in ('CreateAccessKey', 'CreateLoginProfile') then 'credential_created'
            when event_name in ('DeleteAccessKey', 'DeleteLoginProfile') then 'credential_deleted'
            when request_status = 'Active' then 'credential_activated'
            when request_status = 'Inactive' then 'credential_deactivated'
        end as action,
        case
            when event_name like '%AccessKey' then 'access_key'
            when event_name like '%LoginProfile' then 'console_password'
        end as credential_type
    from calls
)

select
    sha256,
    record_number,
    'aws' as source_system,
    'cloudtrail' as source_feed,
    'aws' as system,
    event_id,
    {{ instant('event_time') }} as occurred_at,
    case when credential_type is null then 3001 else 3004 end as ocsf_class,
    action,
    account_id,
    case when not is_root then subject_user_name end as account_name,
    account_scope,
    case when credential_type = 'access_key' then coalesce(response_access_key_id, request_access_key_id) end
        as credential_id,
    credential_type,
    cast(null as bigint) as version,
    user_arn as actor_id
from mapped
where action is not null
