-- What nothing links, listed with what was tried: accounts without an identity, actors without an account record,
-- review decisions about accounts that no evidence shows, keys to no account that evidence shows,
-- tickets whose target is nowhere.
with

accounts as (
    select 'account' as kind, system, instance, account_id as native_id, account_name as name, tried, [evidence] as evidence
    from {{ ref('dim_accounts') }}
    where identity_id is null
),

actors as (
    select 'actor' as kind, system, instance, account_id as native_id, account_id as name,
        'account inventories and lifecycle events of ' || system || '/' || instance as tried,
        [min_by(last_success_evidence, (last_success_at, last_success_evidence))] as evidence
    from {{ ref('fct_usage_daily') }}
    where account_id is not null and not has_account_record and last_success_at is not null
    group by system, instance, account_id
),

decisions as (
    select 'decision' as kind, system, account_instance as instance, account_id as native_id,
        coalesce(campaign_name, campaign_id) as name,
        'accounts of ' || system || '/' || account_instance as tried, flatten(list(evidence)) as evidence
    from {{ ref('fct_review_decisions') }} as decision
    where not exists (
        select 1 from {{ ref('dim_accounts') }} as account
        where account.system = decision.system and account.instance = decision.account_instance
            and account.account_id = decision.account_id
    )
    group by all
),

-- Vaulted secrets open what their name says; only keys are ways into an account. A key's own records are cited, so that
-- an auditor can see what names no account.
key_records as (
    select system, instance, subject_id as credential_id, min(evidence) as evidence
    from {{ ref('int_credential_listings') }}
    group by all
    union all
    select system, instance, credential_id, min(evidence[1])
    from {{ ref('int_events') }}
    where credential_id is not null
    group by all
),

credentials as (
    select
        'credential' as kind,
        credential.system,
        credential.instance,
        credential.credential_id as native_id,
        credential.credential_name as name,
        case
            when credential.account_id is null then 'the account that inventories and events name beside it: none does'
            else 'the account it opens, as its inventory or events name it'
        end as tried,
        list(key_records.evidence) as evidence
    from {{ ref('dim_credentials') }} as credential
    left join key_records
        on credential.system = key_records.system and credential.instance = key_records.instance
        and credential.credential_id = key_records.credential_id
    where credential.custody = 'key' and credential.credential_type is distinct from 'pipeline_secret' and not exists (
        select 1 from {{ ref('dim_accounts') }} as account
        where account.system = credential.system and account.instance = credential.instance
            and account.account_id = credential.account_id
    )
    group by all
),

-- A ticket that changes or retires something, and names what no evidence shows. A log outage names feeds, and a change may
-- name a repository: those are not looked for among accounts and credentials.
tickets as (
    select
        'ticket' as kind,
        coalesce(target_system, source_system) as system,
        source_instance as instance,
        ticket_id as native_id,
        target as name,
        case
            when target is null then 'the target that the ticket rule reads: the ticket names none'
            else 'native id, user name, e-mail, identity and credential of ' || coalesce(target_system, 'every system')
        end as tried,
        flatten(list(evidence)) as evidence
    from {{ ref('fct_ticket_targets') }}
    where subject_type is null and kind in ('access_request', 'nhi_retirement', 'incident')
    group by all
)

select
    kind, system, instance, native_id, name, tried,
    array_to_string(list_sort(list_distinct(list_filter(evidence, record -> record is not null))), ' ') as evidence
from (
    select * from accounts
    union all by name
    select * from actors
    union all by name
    select * from decisions
    union all by name
    select * from credentials
    union all by name
    select * from tickets
)
