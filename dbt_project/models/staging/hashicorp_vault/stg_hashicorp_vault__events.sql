-- What changed a secret: only answers without an error count, at the time of the answer (an audit device logs
-- request and response as two lines). Key/value version 2 puts a verb between mount and path; version 1 has none.
with

answers as (
    select *
    from {{ evidence_records('hashicorp_vault', 'audit_log') }}
    where type = 'response' and has_error is distinct from 'true' and has_error_in_answer is distinct from 'true'
        and operation in ('create', 'update', 'patch', 'delete')
        and coalesce(mount_type, '') in ('', 'kv', 'generic')
),

located as (
    select
        *,
        case
            when mount_point <> '' and starts_with(path, mount_point) then rtrim(mount_point, '/')
            else regexp_extract(path, '^(.+?)/(data|metadata|delete|undelete|destroy)/', 1)
        end as mount,
        case
            when mount_point <> '' and starts_with(path, mount_point) then substr(path, length(mount_point) + 1)
            else regexp_extract(path, '^.+?/((data|metadata|delete|undelete|destroy)/.+)$', 1)
        end as path_in_mount
    from answers
),

parsed as (
    select
        *,
        regexp_extract(path_in_mount, '^(data|metadata|delete|undelete|destroy)/(.+)$', 1) as verb,
        regexp_extract(path_in_mount, '^(data|metadata|delete|undelete|destroy)/(.+)$', 2) as path_after_verb
    from located
    where mount <> ''
),

named as (
    select
        *,
        coalesce(nullif(rtrim(namespace_path, '/'), '') || '/', '') || mount || '/'
            || case when verb = '' then path_in_mount else path_after_verb end as secret_id,
        case
            when verb = 'data' and operation in ('create', 'update', 'patch') then 'version_created'
            when verb = '' and mount_type = 'kv' and path_in_mount <> 'config' and operation in ('create', 'update')
                then 'version_created'
            when verb = 'destroy' and operation in ('create', 'update') then 'version_destroyed'
            when verb = 'metadata' and operation = 'delete' then 'credential_deleted'
            when verb = '' and mount_type = 'kv' and operation = 'delete' then 'credential_deleted'
        end as action
    from parsed
),

one_row_per_version as (
    select
        *,
        unnest(case
            when action = 'version_destroyed' and len(request_versions) > 0 then request_versions
            when action = 'version_created' then [response_version]
            else [null]
        end) as version
    from named
    where action is not null
)

select
    sha256,
    record_number,
    'hashicorp_vault' as source_system,
    'audit_log' as source_feed,
    'hashicorp_vault' as system,
    request_id || '/' || type || coalesce('/' || cast(version as varchar), '') as event_id,
    {{ instant('time') }} as occurred_at,
    3004 as ocsf_class,
    action,
    cast(null as varchar) as account_id,
    cast(null as varchar) as account_name,
    cast(null as varchar) as account_scope,
    secret_id as credential_id,
    'kv_secret' as credential_type,
    cast(version as bigint) as version,
    -- A token without an entity has an empty one.
    coalesce(nullif(auth_entity_id, ''), nullif(auth_display_name, '')) as actor_id
from one_row_per_version
