-- Every instant at which an account is known to have been used: by itself or through one of its credentials.
with

uses as (
    select
        usage.system,
        usage.instance,
        coalesce(usage.account_id, credentials.account_id) as account_id,
        unnest([
            {'used_at': usage.first_success_at, 'evidence': usage.first_success_evidence},
            {'used_at': usage.last_success_at, 'evidence': usage.last_success_evidence}
        ]) as use
    from {{ ref('fct_usage_daily') }} as usage
    left join {{ ref('dim_credentials') }} as credentials
        on usage.system = credentials.system and usage.instance = credentials.instance
        and usage.credential_id = credentials.credential_id
    where usage.last_success_at is not null
)

select system, instance, account_id, use.used_at as used_at, min(use.evidence) as evidence
from uses
where account_id is not null
group by system, instance, account_id, use.used_at
