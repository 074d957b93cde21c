-- What IAM users and roles may do, as the account authorization details list it: one row per group, attached policy and
-- inline policy of each. A group is named there without its path; an inline policy has no id but its name.
with

principals as (
    select
        *,
        'arn:' || split_part(arn, ':', 2) || ':iam::' || split_part(arn, ':', 5) as arn_start,
        case when role_name is null then 'user' else 'role' end as kind
    from {{ evidence_records('aws', 'account_authorization_details') }}
    where user_name is not null or role_name is not null
),

memberships as (
    select sha256, record_number, arn, arn_start, kind, unnest(from_json(groups, '["VARCHAR"]')) as group_name
    from principals
),

attachments as (
    select sha256, record_number, arn, arn_start, kind, unnest(attached_policies) as policy
    from principals
),

inline as (
    select sha256, record_number, arn, arn_start, kind,
        unnest(from_json(inline_policies, '[{"PolicyName": "VARCHAR", "PolicyDocument": "JSON"}]')) as policy
    from principals
),

inline_read as (
    select *, {{ policy_document('policy.PolicyDocument') }} as document
    from inline
),

together as (
    select sha256, record_number, arn, arn_start, kind, arn_start || ':group/' || group_name as entitlement,
        group_name as entitlement_name, 'group' as entitlement_type, cast(null as boolean) as is_privileged
    from memberships
    union all
    select sha256, record_number, arn, arn_start, kind, policy.arn, policy.name, 'policy',
        {{ is_privileged_policy('policy.arn') }}
    from attachments
    union all
    select sha256, record_number, arn, arn_start, kind, policy.PolicyName, policy.PolicyName, 'policy',
        {{ allows_everything('document') }}
    from inline_read
)

select
    sha256,
    record_number,
    'aws' as source_system,
    'account_authorization_details' as source_feed,
    'aws' as system,
    arn as account_id,
    entitlement,
    entitlement_name,
    entitlement_type,
    is_privileged,
    cast(null as timestamp) as granted_at,
    arn_start || ':' || kind as absence_scope
from together
where entitlement is not null
