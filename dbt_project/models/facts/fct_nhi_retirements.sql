-- What approved retirements take away: one row per account and credential of a retired non-human identity, with the first
-- approval of it that nobody withdrew. A ticket that names an identity or an account retires the identity behind it with
-- all its accounts and their credentials; one that names a credential retires that alone.
with

approvals as (
    select source_system, source_instance, ticket_id, min(approved_at) as approved_at, min_by(evidence, approved_at) as evidence
    from {{ ref('fct_approvals') }}
    where kind = 'nhi_retirement' and withdrawn_at is null
    group by source_system, source_instance, ticket_id
),

retired as (
    select
        targets.source_system,
        targets.ticket_id,
        approvals.approved_at,
        targets.system,
        targets.instance,
        targets.subject_type,
        targets.account_id,
        targets.credential_id,
        accounts.identity_id,
        list_distinct(targets.evidence || approvals.evidence) as evidence
    from {{ ref('fct_ticket_targets') }} as targets
    inner join approvals using (source_system, source_instance, ticket_id)
    left join {{ ref('dim_accounts') }} as accounts
        on targets.system = accounts.system and targets.instance = accounts.instance and targets.account_id = accounts.account_id
    where targets.kind = 'nhi_retirement' and targets.subject_type is not null and not coalesce(accounts.is_human, false)
),

retired_accounts as (
    select accounts.system, accounts.instance, accounts.account_id, retired.* exclude (system, instance, account_id)
    from retired
    inner join {{ ref('dim_accounts') }} as accounts
        on retired.identity_id = accounts.identity_id
        or (retired.system = accounts.system and retired.instance = accounts.instance and retired.account_id = accounts.account_id)
    where retired.subject_type = 'account'
),

subjects as (
    select 'account' as subject_type, retired.system, retired.instance, retired.account_id as subject_id,
        accounts.account_name as subject_name, accounts.account_type, cast(null as varchar) as credential_type,
        accounts.identity_id, accounts.identity_type, accounts.tags, retired.source_system, retired.ticket_id,
        retired.approved_at, retired.evidence || [accounts.evidence, accounts.link_evidence] as evidence
    from retired_accounts as retired
    inner join {{ ref('dim_accounts') }} as accounts using (system, instance, account_id)
    union all by name
    select 'credential' as subject_type, credentials.system, credentials.instance, credentials.credential_id as subject_id,
        credentials.credential_name as subject_name, cast(null as varchar) as account_type, credentials.credential_type,
        credentials.identity_id, credentials.identity_type, credentials.tags, retired.source_system, retired.ticket_id,
        retired.approved_at, retired.evidence
    from retired_accounts as retired
    inner join {{ ref('dim_credentials') }} as credentials using (system, instance, account_id)
    union all by name
    select 'credential' as subject_type, credentials.system, credentials.instance, credentials.credential_id as subject_id,
        credentials.credential_name as subject_name, cast(null as varchar) as account_type, credentials.credential_type,
        credentials.identity_id, credentials.identity_type, credentials.tags, retired.source_system, retired.ticket_id,
        retired.approved_at, retired.evidence
    from retired
    inner join {{ ref('dim_credentials') }} as credentials using (system, instance, credential_id)
    where retired.subject_type = 'credential'
)

select * replace (list_filter(evidence, record -> record is not null) as evidence)
from subjects
qualify row_number() over (
    partition by system, instance, subject_type, subject_id order by approved_at, source_system, ticket_id
) = 1
