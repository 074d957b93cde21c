-- Ways into an IAM user as the credential report lists them: console password, two key slots, two certificates.
-- The report names no key id, only the slot. The root user's password can't be taken away.
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
    is_active,
    false as is_destroyed,
    created_at,
    cast(null as timestamp) as deactivated_at,
    last_used_at,
    {{ no_tags() }} as tags,
    absence_scope
from ways_in
where is_listed
