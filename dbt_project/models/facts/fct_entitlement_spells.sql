-- Stretches in which an account held a group, role, policy, scope or application, with the evidence that begins and
-- ends each. Events fix instants, so do the dates that inventories state; a deleted account holds nothing.
with

from_events as (
    select
        system,
        instance,
        account_id || chr(31) || entitlement as subject_id,
        account_id,
        occurred_at as observed_at,
        action = 'entitlement_granted' as is_open,
        true as is_exact,
        0 as source_rank,
        case action when 'entitlement_granted' then 0 else 2 end as tie_order,
        evidence
    from {{ ref('int_events') }}
    where action in ('entitlement_granted', 'entitlement_revoked') and account_id is not null and entitlement is not null
),

stated_grants as (
    select system, instance, subject_id, account_id, granted_at as observed_at, true as is_open, true as is_exact,
        1 as source_rank, 0 as tie_order, [min(evidence)] as evidence
    from {{ ref('int_entitlement_listings') }}
    where granted_at is not null and granted_at <= collected_at
    group by all
),

seen as (
    select system, instance, subject_id, account_id, collected_at as observed_at, true as is_open, false as is_exact,
        2 as source_rank, 5 as tie_order, [min(evidence)] as evidence
    from {{ ref('int_entitlement_listings') }}
    group by all
),

known as (
    select system, instance, subject_id, account_id as scope_hint, observed_at as seen_at from seen
    union all
    select system, instance, subject_id, account_id, observed_at from from_events where is_open
),

absent as (
    select system, instance, subject_id, split_part(subject_id, chr(31), 1) as account_id, observed_at,
        false as is_open, false as is_exact, 3 as source_rank, 6 as tie_order, evidence
    from {{ absences(ref('int_entitlement_listings'), 'known') }}
),

account_gone as (
    select held.system, held.instance, held.subject_id, held.account_id, gone.occurred_at as observed_at,
        false as is_open, true as is_exact, 0 as source_rank, 4 as tie_order, gone.evidence
    from (
        select system, instance, subject_id, scope_hint as account_id, min(seen_at) as first_at
        from known
        group by all
    ) as held
    inner join {{ ref('int_events') }} as gone
        on held.system = gone.system and held.instance = gone.instance and held.account_id = gone.account_id
        and gone.action = 'account_deleted' and held.first_at <= gone.occurred_at
),

observations as (
    select * from from_events
    union all by name
    select * from stated_grants
    union all by name
    select * from seen
    union all by name
    select * from absent
    union all by name
    select * from account_gone
),

stretches as (
    select * from {{ open_stretches('observations', ['system', 'instance', 'subject_id']) }}
),

-- Holding an entitlement leaves no trace of its own in a log.
uses as (
    select system, instance, subject_id, observed_at as used_at from observations where false
),

watched as (
    select *, split_part(subject_id, chr(31), 1) as scope_hint
    from {{ with_known_open_until('stretches', 'entitlements', 'uses') }}
),

bounded as (
    select * from {{ with_bounds_of_beginning('watched', ref('int_entitlement_listings'), 'entitlements') }}
)

select
    bounded.system,
    bounded.instance,
    bounded.scope_hint as account_id,
    split_part(bounded.subject_id, chr(31), 2) as entitlement,
    entitlements.entitlement_name,
    entitlements.entitlement_type,
    entitlements.is_privileged,
    case when bounded.is_open_exact then bounded.opened_at end as opened_at,
    bounded.opened_by,
    bounded.is_open_exact,
    case when bounded.is_open_exact then bounded.opened_at else bounded.not_before end as not_before,
    case when bounded.is_open_exact then bounded.opened_at else bounded.not_after end as not_after,
    bounded.closed_at,
    bounded.is_close_exact,
    bounded.last_seen_open_at,
    bounded.known_open_until,
    bounded.opened_evidence,
    bounded.seen_evidence,
    coalesce(bounded.closed_evidence, cast([] as varchar[])) as closed_evidence
from bounded
left join {{ ref('dim_entitlements') }} as entitlements
    on bounded.system = entitlements.system and bounded.instance = entitlements.instance
    and split_part(bounded.subject_id, chr(31), 2) = entitlements.entitlement
