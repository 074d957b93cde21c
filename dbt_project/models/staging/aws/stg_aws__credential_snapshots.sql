-- Ways into an IAM user as the credential report lists them (console password, two key slots, two certificates), and the
-- versions of Secrets Manager secrets as list-secrets has them. The report names no key id, only the slot. The root
-- user's password can't be taken away.
with

report as (
    select *, split_part(arn, ':', 5) as absence_scope, arn like '%:root' as is_root
    from {{ evidence_records('aws', 'credential_report') }}
),

ways_in as (
    select sha256, record_number, arn, absence_scope, 'password' as slot, 'console_password' as credential_type,
        lower(password_enabled) = 'true' or is_root as is_active,
        lower(password_enabled) in ('true', 'false') or is_root as is_listed,
        case when is_root then {{ instant('user_creation_time') }} end as created_at,
        {{ instant('password_last_used') }} as last_used_at
    from report
    {% for slot in ['1', '2'] %}
    union all
    select sha256, record_number, arn, absence_scope, '{{ slot }}', 'access_key',
        lower(access_key_{{ slot }}_active) = 'true',
        {{ instant('access_key_' ~ slot ~ '_last_rotated') }} is not null or lower(access_key_{{ slot }}_active) = 'true',
        {{ instant('access_key_' ~ slot ~ '_last_rotated') }},
        {{ instant('access_key_' ~ slot ~ '_last_used_date') }}
    from report
    union all
    select sha256, record_number, arn, absence_scope, 'cert{{ slot }}', 'signing_certificate',
        lower(cert_{{ slot }}_active) = 'true',
        {{ instant('cert_' ~ slot ~ '_last_rotated') }} is not null or lower(cert_{{ slot }}_active) = 'true',
        {{ instant('cert_' ~ slot ~ '_last_rotated') }},
        null
    from report
    {% endfor %}
),

secrets as (
    select
        *,
        try_cast(versions as json) as labels,
        {{ instant('created_date') }} as made_at,
        {{ instant('last_changed_date') }} as changed_at
    from {{ evidence_records('aws', 'secretsmanager_list_secrets') }}
),

-- Versions without a label in force are kept for recovery only, and one that is pending was never in use.
labelled as (
    select
        *,
        list_filter(json_keys(labels), lambda id: {{ has_version_label('labels', 'id', 'AWSCURRENT') }})[1] as current_id,
        list_filter(json_keys(labels), lambda id: {{ has_version_label('labels', 'id', 'AWSPREVIOUS') }}
            and not {{ has_version_label('labels', 'id', 'AWSCURRENT') }})[1] as previous_id
    from secrets
),

secret_versions as (
    select *, current_id as version_id, current_id is not null as is_active,
        -- A secret that never had another version has had this one since it was made. Otherwise it became current at the
        -- last change at the latest.
        case when previous_id is null then coalesce(made_at, changed_at) else changed_at end as created_at,
        {{ instant('last_accessed_date') }} as last_used_at
    from labelled
    union all by name
    select *, previous_id as version_id, false as is_active
    from labelled
    where previous_id is not null
)

select
    sha256,
    record_number,
    'aws' as source_system,
    'credential_report' as source_feed,
    'aws' as system,
    arn as account_id,
    cast(null as varchar) as credential_id,
    slot,
    credential_type,
    'key' as custody,
    cast(null as varchar) as name,
    cast(null as bigint) as version,
    cast(null as varchar) as version_id,
    is_active,
    false as is_destroyed,
    created_at,
    cast(null as timestamp) as deactivated_at,
    cast(null as timestamp) as expires_at,
    last_used_at,
    {{ no_tags() }} as tags,
    absence_scope
from ways_in
where is_listed
union all by name
select
    sha256,
    record_number,
    'aws' as source_system,
    'secretsmanager_list_secrets' as source_feed,
    'aws' as system,
    arn as credential_id,
    'secrets_manager_secret' as credential_type,
    'versioned' as custody,
    name,
    version_id,
    is_active,
    false as is_destroyed,
    created_at,
    last_used_at,
    {{ tag_list_map('tags') }} as tags,
    array_to_string(string_split(arn, ':')[1:6], ':') as absence_scope
from secret_versions
