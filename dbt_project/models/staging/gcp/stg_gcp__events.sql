-- What Cloud Audit Logs show of service accounts, their keys, API keys, secrets and of rights given and taken. A status that is
-- absent or empty means success. Of an operation's two entries the last counts. Rights are read from what a change of a
-- policy added and removed, whatever the method that changed it is called.
with

entries as (
    select
        *,
        coalesce(
            -- Exports write one instant with three to nine digits of a second.
            nullif(insert_id, '') || '/' || cast({{ instant('"timestamp"') }} as varchar) || coalesce('/' || log_name, ''),
            record_hash
        ) as entry_id,
        coalesce(nullif(response_unique_id, ''), nullif(label_unique_id, ''),
            regexp_extract(resource_name, 'serviceAccounts/([0-9]+)(?:/|$)', 1)) as unique_id,
        coalesce(nullif(response_email, ''), nullif(label_email, ''),
            regexp_extract(coalesce(nullif(response_name, ''), nullif(request_name, ''), resource_name), 'serviceAccounts/([^/]+@[^/]+)(?:/|$)', 1))
            as email
    from {{ evidence_records('gcp', 'audit_log') }}
    where {{ gcp_succeeded() }}
        and (lower(operation_first) is distinct from 'true' or lower(operation_last) = 'true')
),

lifecycle as (
    select
        entries.*,
        meanings.action,
        case
            when meanings.action like 'account_%' then null
            when entries.service_name = 'apikeys.googleapis.com' then 'api_key'
            when entries.service_name = 'secretmanager.googleapis.com' then 'secret_manager_secret'
            else 'service_account_key'
        end as credential_type,
        case
            when contains(response_name, '/keys/') then response_name
            when contains(request_name, '/keys/') then request_name
            else resource_name
        end as key_path,
        -- Of a new version the answer alone has the number.
        case when contains(response_name, '/secrets/') then response_name
            when contains(request_name, '/secrets/') then request_name else resource_name end as secret_path
    from entries
    inner join {{ vendor_actions('gcp', 'audit_log') }} as meanings
        on {{ vendor_word('entries.method_name') }} = meanings.vendor_action
),

lifecycle_named as (
    select
        *,
        case credential_type
            when 'service_account_key' then {{ gcp_key_name('key_path', "nullif(label_project_id, '')", 'email') }}
            when 'api_key' then key_path
            when 'secret_manager_secret' then {{ gcp_secret('secret_path') }}
        end as credential_id,
        case when credential_type = 'secret_manager_secret' then {{ gcp_secret_version('secret_path') }} end as version
    from lifecycle
),

deltas as (
    select *, generate_subscripts(binding_deltas, 1) as delta_number, unnest(binding_deltas) as delta
    from entries
),

rights as (
    select
        *,
        case upper(delta.action) when 'ADD' then 'entitlement_granted' when 'REMOVE' then 'entitlement_revoked' end as action
    from deltas
    where delta.member is not null and delta.role is not null
),

mapped as (
    select
        sha256,
        record_number,
        entry_id as event_id,
        "timestamp",
        case when credential_type is null then 3001 else 3004 end as ocsf_class,
        action,
        case when coalesce(credential_type = 'service_account_key', true) then coalesce(nullif(unique_id, ''), nullif(email, '')) end
            as account_id,
        case when coalesce(credential_type = 'service_account_key', true) then nullif(email, '') end as account_name,
        credential_id,
        version,
        credential_type,
        principal_email,
        principal_subject
    from lifecycle_named
    union all by name
    select
        sha256,
        record_number,
        entry_id || '#' || cast(delta_number as varchar) as event_id,
        "timestamp",
        3005 as ocsf_class,
        action,
        {{ gcp_account('delta.member') }} as account_id,
        -- A role on one resource is another right than the same role on another.
        delta.role || coalesce('@' || nullif(resource_name, ''), '') as entitlement,
        delta.role as entitlement_name,
        'role' as entitlement_type,
        {{ is_privileged_gcp_role('delta.role') }} as is_privileged,
        principal_email,
        principal_subject
    from rights
    where action is not null
)

select
    sha256,
    record_number,
    'gcp' as source_system,
    'audit_log' as source_feed,
    'gcp' as system,
    event_id,
    {{ instant('"timestamp"') }} as occurred_at,
    ocsf_class,
    action,
    account_id,
    account_name,
    cast(null as varchar) as account_scope,
    credential_id,
    credential_type,
    version,
    entitlement,
    entitlement_name,
    entitlement_type,
    is_privileged,
    coalesce(nullif(principal_email, ''), {{ gcp_account('principal_subject') }}) as actor_id
from mapped
