-- Names of IAM users and roles to ARNs: CloudTrail often names only the user or role, and a path in the ARN can't be
-- guessed.
with

named as (
    select instance, account_type, split_part(account_id, ':', 5) as account_scope, user_name, account_id
    from {{ delivered(['stg_aws__account_snapshots']) }}
    where account_type in ('iam_user', 'iam_role')
    union
    select instance, coalesce(account_type, 'iam_user'), account_scope, account_name, account_id
    from {{ delivered(['stg_aws__events']) }}
    where account_id is not null and account_name is not null
    union
    select instance, case when account_id like '%:role/%' then 'iam_role' else 'iam_user' end,
        split_part(account_id, ':', 5), regexp_extract(account_id, '([^/]+)$', 1), account_id
    from (
        select usage.account_id, deliveries.source_instance as instance
        from {{ ref('stg_aws__usage') }} as usage
        inner join {{ ref('int_deliveries') }} as deliveries using (sha256, source_system, source_feed)
    )
    where account_id like 'arn:aws%:iam::%:user/%' or account_id like 'arn:aws%:iam::%:role/%'
)

select instance, account_type, account_scope, user_name, min(account_id) as account_id
from named
group by instance, account_type, account_scope, user_name
