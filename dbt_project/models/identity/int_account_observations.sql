-- Everything that shows an account enabled or not, or there or not, at an instant. An IAM user is "there" here;
-- whether anyone can get in as that user follows from its password and keys.
with

from_events as (
    select
        system,
        instance,
        account_id as subject_id,
        listing_scope,
        occurred_at as observed_at,
        action in ('account_created', 'account_registered', 'account_enabled') as is_open,
        true as is_exact,
        0 as source_rank,
        case action when 'account_registered' then 0 when 'account_created' then 0 when 'account_enabled' then 1
            when 'account_disabled' then 2 else 3 end as tie_order,
        action = 'account_disabled' as is_disabling,
        evidence
    from {{ ref('int_events') }}
    where account_id is not null and action in (
        'account_registered', 'account_created', 'account_enabled', 'account_disabled', 'account_deleted'
    )
    -- What is only registered can't be used yet. An IAM user is there, too, whether or not it can be used.
    and (action <> 'account_registered' or system = 'aws')
),

opening_dates as (
    select system, instance, subject_id, opened_at as observed_at, true as is_open, true as is_exact, 1 as source_rank,
        0 as tie_order, [min(evidence)] as evidence
    from {{ ref('int_account_listings') }}
    where opened_at is not null and opened_at <= collected_at
    group by all
),

closing_dates as (
    select system, instance, subject_id, closed_at as observed_at, false as is_open, true as is_exact, 1 as source_rank,
        2 as tie_order, [min(evidence)] as evidence
    from {{ ref('int_account_listings') }}
    where closed_at is not null and closed_at <= collected_at
    group by all
),

-- A listing that does not say whether an account is enabled shows that it is there: not that one disabled is enabled again.
seen as (
    select listing.system, listing.instance, listing.subject_id, listing.collected_at as observed_at,
        coalesce(listing.is_enabled, true) as is_open, false as is_exact, 2 as source_rank, 5 as tie_order,
        [min(listing.evidence)] as evidence
    from {{ ref('int_account_listings') }} as listing
    asof left join from_events as last_event
        on listing.system = last_event.system and listing.instance = last_event.instance
        and listing.subject_id = last_event.subject_id and listing.collected_at >= last_event.observed_at
    where listing.is_enabled is not null or not coalesce(last_event.is_disabling, false)
    group by all
),

known as (
    select system, instance, subject_id, {{ scope_hint('subject_id') }} as scope_hint, collected_at as seen_at
    from {{ ref('int_account_listings') }}
    union all
    select system, instance, subject_id, {{ scope_hint('subject_id') }}, observed_at from from_events where is_open
),

absent as (
    select system, instance, subject_id, observed_at, false as is_open, false as is_exact, 3 as source_rank,
        6 as tie_order, evidence
    from {{ absences(ref('int_account_listings'), 'known') }}
)

select * exclude (is_disabling, listing_scope) from from_events
union all by name
select * from opening_dates
union all by name
select * from closing_dates
union all by name
select * from seen
union all by name
select * from absent
