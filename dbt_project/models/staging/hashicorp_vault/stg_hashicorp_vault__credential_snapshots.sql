-- Versions of each secret as kv_metadata lists them: one row per secret and version, or one without a version
-- for a secret that lists none.
with

secrets as (
    select
        *,
        mount || '/' || path as credential_id,
        case
            when versions is null or cardinality(versions) = 0 then [null]
            else map_keys(versions)
        end as version_names
    from (
        select * replace (rtrim(mount, '/') as mount, ltrim(path, '/') as path)
        from {{ evidence_records('hashicorp_vault', 'kv_metadata') }}
    )
),

one_row_per_version as (
    select
        *,
        unnest(version_names) as version_name
    from secrets
),

read_out as (
    select *, versions[version_name] as listed
    from one_row_per_version
)

select
    sha256,
    record_number,
    'hashicorp_vault' as source_system,
    'kv_metadata' as source_feed,
    'hashicorp_vault' as system,
    cast(null as varchar) as account_id,
    credential_id,
    cast(null as varchar) as slot,
    'kv_secret' as credential_type,
    'versioned' as custody,
    path as name,
    try_cast(version_name as bigint) as version,
    coalesce(listed.destroyed, 'false') <> 'true'
        and try_cast(version_name as bigint) is not distinct from current_version as is_active,
    coalesce(listed.destroyed, 'false') = 'true' as is_destroyed,
    {{ instant('listed.created_time') }} as created_at,
    cast(null as timestamp) as deactivated_at,
    cast(null as timestamp) as last_used_at,
    coalesce(try_cast(try_cast(custom_metadata as json) as map(varchar, varchar)), {{ no_tags() }}) as tags,
    mount as absence_scope
from read_out
