-- IAM users and roles as the credential report and the account authorization details list them. Whether one can get in
-- as a user follows from its password and keys; a role can be taken on for as long as it exists. The report says nothing
-- about roles and the details nothing about root: each proves absence only of the kinds that it lists.
with

reported as (
    select
        sha256,
        record_number,
        'credential_report' as source_feed,
        arn as account_id,
        "user" as user_name,
        case when arn like '%:root' then 'root' else 'iam_user' end as account_type,
        {{ instant('user_creation_time') }} as opened_at,
        {{ instant('password_last_used') }} as last_used_at,
        {{ no_tags() }} as tags,
        'user' as kind
    from {{ evidence_records('aws', 'credential_report') }}
),

detailed as (
    select
        sha256,
        record_number,
        'account_authorization_details' as source_feed,
        arn as account_id,
        coalesce(user_name, role_name) as user_name,
        case when role_name is null then 'iam_user' else 'iam_role' end as account_type,
        {{ instant('create_date') }} as opened_at,
        {{ instant('role_last_used') }} as last_used_at,
        {{ tag_list_map('tags') }} as tags,
        case when role_name is null then 'user' else 'role' end as kind
    from {{ evidence_records('aws', 'account_authorization_details') }}
    where user_name is not null or role_name is not null
),

listed as (
    select * from reported
    union all by name
    select * from detailed
)

select
    sha256,
    record_number,
    'aws' as source_system,
    source_feed,
    'aws' as system,
    account_id,
    user_name,
    cast(null as varchar) as display_name,
    case when user_name like '%@%' then lower(user_name) end as email,
    account_type,
    cast(null as boolean) as is_enabled,
    opened_at,
    cast(null as timestamp) as closed_at,
    last_used_at,
    cast(null as varchar) as employee_number,
    tags,
    'arn:' || split_part(account_id, ':', 2) || ':iam::' || split_part(account_id, ':', 5) || ':' || kind as absence_scope
from listed
