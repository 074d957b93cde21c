-- IAM users as the credential report lists them. Whether one can get in follows from its password and keys.
select
    sha256,
    record_number,
    'aws' as source_system,
    'credential_report' as source_feed,
    'aws' as system,
    arn as account_id,
    "user" as user_name,
    cast(null as varchar) as display_name,
    case when "user" like '%@%' then lower("user") end as email,
    case when arn like '%:root' then 'root' else 'iam_user' end as account_type,
    cast(null as boolean) as is_enabled,
    {{ instant('user_creation_time') }} as opened_at,
    cast(null as timestamp) as closed_at,
    {{ instant('password_last_used') }} as last_used_at,
    cast(null as varchar) as employee_number,
    {{ no_tags() }} as tags,
    split_part(arn, ':', 5) as absence_scope
from {{ evidence_records('aws', 'credential_report') }}
