-- IAM user names to ARNs: CloudTrail often names only the user, and a path in the ARN can't be guessed.
with

named as (
    select instance, absence_scope as account_scope, user_name, account_id
    from {{ delivered(['stg_aws__account_snapshots']) }}
    where account_type = 'iam_user'
    union
    select instance, account_scope, account_name, account_id
    from {{ delivered(['stg_aws__events']) }}
    where account_id is not null and account_name is not null
    union
    select instance, split_part(account_id, ':', 5), regexp_extract(account_id, '([^/]+)$', 1), account_id
    from (
        select usage.account_id, deliveries.source_instance as instance
        from {{ ref('stg_aws__usage') }} as usage
        inner join {{ ref('int_deliveries') }} as deliveries using (sha256, source_system, source_feed)
    )
    where account_id like 'arn:aws%:iam::%:user/%'
)

select instance, account_scope, user_name, min(account_id) as account_id
from named
group by instance, account_scope, user_name
