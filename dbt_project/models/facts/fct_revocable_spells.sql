-- Stretches in which an account or a credential could be used, in one shape. A versioned secret can be used from its first
-- version until it ends without a successor: a new version revokes nothing.
with

versioned as (
    select
        system,
        instance,
        credential_id,
        min_by(opened_at, opened_by) as opened_at,
        min(opened_by) as opened_by,
        case when max_by(ending, opened_by) is distinct from 'next version' then max_by(closed_at, opened_by) end as closed_at,
        max(known_open_until) as known_open_until,
        min_by(opened_evidence, opened_by) as opened_evidence,
        max_by(seen_evidence, opened_by) as seen_evidence,
        max_by(closed_evidence, opened_by) as closed_evidence
    from {{ ref('fct_credential_intervals') }}
    where custody = 'versioned'
    group by system, instance, credential_id
),

credentials as (
    select system, instance, subject_id as credential_id, opened_at, opened_by, closed_at, known_open_until, opened_evidence,
        seen_evidence, closed_evidence
    from {{ ref('int_key_stretches') }}
    union all by name
    select * from versioned
)

select 'account' as subject_type, system, instance, account_id as subject_id, opened_at, opened_by, closed_at,
    known_open_until, opened_evidence, seen_evidence, closed_evidence
from {{ ref('fct_account_spells') }}
union all by name
select
    'credential' as subject_type, system, instance, credential_id as subject_id, opened_at, opened_by, closed_at,
    known_open_until,
    coalesce(opened_evidence, cast([] as varchar[])) as opened_evidence,
    coalesce(seen_evidence, cast([] as varchar[])) as seen_evidence,
    coalesce(closed_evidence, cast([] as varchar[])) as closed_evidence
from credentials
