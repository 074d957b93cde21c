-- Everything that shows a key active or not at an instant (versioned secrets have their own model). An account that is
-- deleted takes its keys with it.
with

keys_of_events as (
    select *
    from {{ ref('int_events') }}
    where credential_id is not null and action in (
        'credential_created', 'credential_activated', 'credential_deactivated', 'credential_deleted'
    ) and not {{ is_versioned('credential_type') }}
),

listings as (
    select * from {{ ref('int_credential_listings') }} where custody = 'key'
),

from_events as (
    select
        system,
        instance,
        credential_id as subject_id,
        {{ scope_hint('coalesce(account_id, credential_id)') }} as scope_hint,
        '' as incarnation,
        occurred_at as observed_at,
        action in ('credential_created', 'credential_activated') as is_open,
        action = 'credential_created' as is_creation,
        true as is_exact,
        0 as source_rank,
        case action when 'credential_created' then 0 when 'credential_activated' then 1
            when 'credential_deactivated' then 2 else 3 end as tie_order,
        evidence
    from keys_of_events
),

creation_dates as (
    select system, instance, subject_id, incarnation, created_at as observed_at, true as is_open,
        true as is_creation, true as is_exact, 1 as source_rank, 0 as tie_order, [min(evidence)] as evidence
    from listings
    where created_at is not null and created_at <= collected_at
    group by all
),

closing_dates as (
    select system, instance, subject_id, incarnation, deactivated_at as observed_at, false as is_open,
        false as is_creation, true as is_exact, 1 as source_rank, 2 as tie_order, [min(evidence)] as evidence
    from listings
    where deactivated_at is not null and deactivated_at <= collected_at and not is_active
    group by all
),

seen as (
    select system, instance, subject_id, incarnation, collected_at as observed_at, is_active as is_open,
        false as is_creation, false as is_exact, 2 as source_rank, 5 as tie_order, [min(evidence)] as evidence
    from listings
    group by all
),

owners as (
    select distinct system, instance, account_id, credential_id as subject_id, '' as incarnation from keys_of_events
    union
    select distinct system, instance, account_id, subject_id, incarnation from listings
),

first_seen as (
    select system, instance, subject_id, incarnation, min(observed_at) as first_at
    from (
        select system, instance, subject_id, incarnation, observed_at from from_events
        union all
        select system, instance, subject_id, incarnation, observed_at from creation_dates
        union all
        select system, instance, subject_id, incarnation, observed_at from seen
    )
    group by all
),

account_gone as (
    select owners.system, owners.instance, owners.subject_id, owners.incarnation, gone.occurred_at as observed_at,
        false as is_open, false as is_creation, true as is_exact, 0 as source_rank, 4 as tie_order, gone.evidence
    from owners
    inner join {{ ref('int_events') }} as gone
        on owners.system = gone.system and owners.instance = gone.instance and owners.account_id = gone.account_id
        and gone.action = 'account_deleted'
    inner join first_seen
        on owners.system = first_seen.system and owners.instance = first_seen.instance
        and owners.subject_id = first_seen.subject_id and owners.incarnation = first_seen.incarnation
        and first_seen.first_at <= gone.occurred_at
),

-- Absence is told per key and incarnation: the name alone may have gone to a successor in the same slot. A key of which
-- events show no creation can't be matched to a slot, so it may be listed under the slot's name.
listings_by_incarnation as (
    select * replace (subject_id || chr(31) || incarnation as subject_id) from listings
),

known as (
    select system, instance, subject_id, {{ scope_hint('coalesce(account_id, subject_id)') }} as scope_hint, collected_at as seen_at
    from listings_by_incarnation
    union all
    select system, instance, subject_id || chr(31) || incarnation, scope_hint, observed_at
    from from_events
    where is_creation
),

absent as (
    select system, instance, split_part(subject_id, chr(31), 1) as subject_id,
        split_part(subject_id, chr(31), 2) as incarnation, observed_at, false as is_open, false as is_creation,
        false as is_exact, 3 as source_rank, 6 as tie_order, evidence
    from {{ absences('listings_by_incarnation', 'known') }}
)

select * exclude (scope_hint) from from_events
union all by name
select * from creation_dates
union all by name
select * from closing_dates
union all by name
select * from seen
union all by name
select * from account_gone
union all by name
select * from absent
