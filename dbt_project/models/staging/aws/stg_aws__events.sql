-- What CloudTrail shows of IAM users, roles, their keys, passwords, groups and policies, and of the versions of Secrets
-- Manager secrets. No errorCode means success. A call on oneself names no user; then the answer does, or the caller is
-- the user.
with

calls as (
    select
        trail.*,
        meanings.action,
        coalesce(response_access_key_user, request_user_name, response_user_name,
            case when user_type = 'IAMUser' then user_name end) as subject_user_name,
        coalesce(user_account_id, recipient_account_id) as account_scope,
        coalesce(nullif(split_part(user_arn, ':', 2), ''), 'aws') as partition_name,
        user_type = 'Root' and coalesce(response_access_key_user, request_user_name) is null as is_root
    from {{ evidence_records('aws', 'cloudtrail') }} as trail
    inner join {{ vendor_actions('aws', 'cloudtrail') }} as meanings on lower(trail.event_name) = meanings.vendor_action
    where event_source in ('iam.amazonaws.com', 'secretsmanager.amazonaws.com') and nullif(error_code, '') is null
),

done as (
    select *
    from calls
    where case event_name
        when 'UpdateAccessKey' then {{ has_asked_status() }}
        when 'UpdateSSHPublicKey' then {{ has_asked_status() }}
        when 'UpdateServiceSpecificCredential' then {{ has_asked_status() }}
        when 'UpdateSigningCertificate' then {{ has_asked_status() }}
        -- A version with labels of its own is current only if AWSCURRENT is one of them: a rotation's first step.
        when 'PutSecretValue'
            then coalesce(request_version_stages, 'null') = 'null' or contains(request_version_stages, '"AWSCURRENT"')
        -- What changes a description or a key may change nothing else.
        when 'UpdateSecret'
            then response_version_id is not null or has_secret_value = 'true'
                or (has_secret_description is null and has_secret_key is null)
        when 'UpdateSecretVersionStage'
            then request_version_stage = 'AWSCURRENT' and request_move_to_version is not null
        -- With a recovery window it is only planned; a service event tells when it is done.
        when 'DeleteSecret' then lower(request_force_delete) = 'true'
        else true
    end
),

mapped as (
    select
        *,
        case
            when event_name in ('CreateRole', 'DeleteRole') or event_name like '%RolePolicy' then 'iam_role'
            when event_source = 'iam.amazonaws.com' then 'iam_user'
        end as account_type,
        case
            when event_source = 'secretsmanager.amazonaws.com' then 'secrets_manager_secret'
            when event_name like '%AccessKey' then 'access_key'
            when event_name like '%LoginProfile' then 'console_password'
            when event_name like '%SSHPublicKey' then 'ssh_public_key'
            when event_name like '%ServiceSpecificCredential' then 'service_specific_credential'
            when event_name like '%SigningCertificate' then 'signing_certificate'
        end as credential_type,
        case
            when event_name like '%UserToGroup' or event_name like '%UserFromGroup' then 'group'
            when action like 'entitlement_%' then 'policy'
        end as entitlement_type,
        {{ policy_document('request_policy_document') }} as policy
    from done
)

select
    sha256,
    record_number,
    'aws' as source_system,
    'cloudtrail' as source_feed,
    'aws' as system,
    event_id,
    {{ instant('event_time') }} as occurred_at,
    case
        when entitlement_type = 'group' then 3006
        when entitlement_type is not null then 3005
        when credential_type is not null then 3004
        else 3001
    end as ocsf_class,
    case when action = 'version_destroyed' and service_version_id is null then 'credential_deleted' else action end
        as action,
    case
        when account_type = 'iam_user' and is_root then 'arn:aws:iam::' || account_scope || ':root'
        when event_name = 'CreateUser' then response_user_arn
        when event_name = 'CreateRole' then response_role_arn
    end as account_id,
    case account_type
        when 'iam_role' then request_role_name
        when 'iam_user' then case when not is_root then subject_user_name end
    end as account_name,
    account_type,
    account_scope,
    case
        when credential_type = 'access_key' then coalesce(response_access_key_id, request_access_key_id)
        when credential_type = 'secrets_manager_secret' then {{ secret_reference(
            'coalesce(response_secret_arn, service_secret_id, request_secret_id, request_secret_name)',
            'aws_region', 'coalesce(recipient_account_id, user_account_id)'
        ) }}
        else coalesce(response_other_credential_id, request_other_credential_id)
    end as credential_id,
    credential_type,
    cast(null as bigint) as version,
    case when credential_type = 'secrets_manager_secret' and action like 'version_%' then
        coalesce(response_version_id, request_move_to_version, service_version_id, request_version_token)
    end as version_id,
    case
        when entitlement_type = 'group'
            then 'arn:' || partition_name || ':iam::' || account_scope || ':group/' || request_group_name
        when entitlement_type = 'policy' then coalesce(request_policy_arn, request_policy_name)
    end as entitlement,
    case
        when entitlement_type = 'group' then request_group_name
        when entitlement_type = 'policy' then coalesce(regexp_extract(request_policy_arn, '([^/]+)$', 1), request_policy_name)
    end as entitlement_name,
    entitlement_type,
    case
        when entitlement_type = 'policy' and request_policy_arn is not null then {{ is_privileged_policy('request_policy_arn') }}
        when entitlement_type = 'policy' then {{ allows_everything('policy') }}
    end as is_privileged,
    user_arn as actor_id
from mapped
