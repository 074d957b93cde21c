-- OWN: an active human owns each non-human identity on every day on which it is active, but for gaps within the grace.
with

registers as (
    select count(*) > 0 as is_there
    from {{ ref('int_deliveries') }}
    where source_system = 'decisions' and source_feed = 'owners' and status = 'accepted'
),

accounts as (
    select
        accounts.identity_id,
        accounts.system,
        accounts.instance,
        accounts.account_id,
        accounts.tags,
        accounts.account_type,
        accounts.evidence,
        accounts.link_evidence
    from {{ ref('dim_accounts') }} as accounts
    inner join {{ ref('dim_identities') }} as identities using (identity_id)
    where not identities.is_human
),

identities as (
    select
        accounts.identity_id,
        any_value(dim.display_name) as display_name,
        any_value(dim.identity_type) as identity_type,
        -- One that lives in several systems is of none of them.
        case when count(distinct accounts.system) = 1 then min(accounts.system) else '' end as system,
        case when count(distinct accounts.instance) = 1 then min(accounts.instance) else '' end as instance,
        case when count(distinct accounts.account_type) = 1 then min(accounts.account_type) end as account_type,
        min_by(accounts.tags, (accounts.system, accounts.instance, accounts.account_id)) as tags,
        list(accounts.evidence) || list(accounts.link_evidence) as evidence
    from accounts
    inner join {{ ref('dim_identities') }} as dim using (identity_id)
    group by accounts.identity_id
),

-- An identity is active while any of its accounts is.
spells as (
    select
        periods.period_id,
        periods.start_at,
        periods.cutoff_at,
        accounts.identity_id,
        coalesce(spells.opened_at, spells.opened_by) as active_from,
        coalesce(spells.closed_at, timestamp '9999-01-01') as active_to,
        spells.known_open_until,
        spells.opened_evidence || spells.seen_evidence as evidence
    from accounts
    inner join {{ ref('fct_account_spells') }} as spells using (system, instance, account_id)
    cross join {{ ref('dim_periods') }} as periods
    where spells.opened_by < periods.cutoff_at
),

numbered as (
    select *, sum(case when active_from <= active_so_far then 0 else 1 end) over (
        partition by period_id, identity_id order by active_from, active_to rows unbounded preceding
    ) as island
    from (
        select *, max(active_to) over (
            partition by period_id, identity_id order by active_from, active_to rows between unbounded preceding and 1 preceding
        ) as active_so_far
        from spells
    )
),

active as (
    select
        period_id, start_at, cutoff_at, identity_id,
        min(active_from) as active_from,
        max(active_to) as active_to,
        max(known_open_until) as known_open_until,
        flatten(list(evidence)) as evidence
    from numbered
    group by period_id, start_at, cutoff_at, identity_id, island
    having max(active_to) > start_at
),

counted as (
    select period_id, identity_id, owner_from as covered_from, owner_until as covered_to
    from {{ ref('fct_ownership') }}
    where standing = 'active'
),

owned as (
    select
        active.period_id,
        active.identity_id,
        active.active_from,
        greatest(owned.covered_from, active.active_from) as owned_from,
        least(owned.covered_to, active.active_to) as owned_to
    from active
    inner join {{ merged_windows('counted', ['period_id', 'identity_id']) }} as owned
        on active.period_id = owned.period_id and active.identity_id = owned.identity_id
        and owned.covered_from < active.active_to and owned.covered_to > active.active_from
),

ownerless as (
    select
        active.*,
        coalesce(lag(owned.owned_to) over timeline, active.active_from) as gap_from,
        coalesce(owned.owned_from, active.active_to) as gap_to
    from active
    left join owned using (period_id, identity_id, active_from)
    window timeline as (partition by active.period_id, active.identity_id, active.active_from order by owned.owned_from)
    union all
    select active.*, max(owned.owned_to) as gap_from, active.active_to as gap_to
    from active
    inner join owned using (period_id, identity_id, active_from)
    group by all
),

gaps as (
    select ownerless.*, ownerless.identity_id as subject_id, identities.system, identities.identity_type,
        identities.account_type, cast(null as varchar) as credential_type, identities.tags
    from ownerless
    inner join identities using (identity_id)
    where gap_to > gap_from + interval 1 second and gap_from < cutoff_at and gap_to > start_at
),

under_policy as (
    select *, gap_from + {{ days('grace_days') }} as due_at
    from {{ with_policy('gaps', 'OWN', 'grace_days', 'gap_from') }}
),

judged_gaps as (
    select
        gap.*,
        exists (
            select 1
            from {{ ref('fct_ownership') }} as former
            where former.period_id = gap.period_id and former.identity_id = gap.identity_id and former.standing = 'left'
                and former.owner_from <= gap.gap_from and former.owner_until > gap.gap_from
        ) as has_lost_its_owner,
        case
            when gap_to <= due_at then 'short'
            when due_at >= cutoff_at then 'not due'
            when known_open_until > greatest(due_at, start_at) then 'ownerless'
            else 'state_unobserved'
        end as gap_finding
    from under_policy as gap
),

-- The first gap that outlasts the grace speaks for the identity.
worst as (
    select
        period_id,
        identity_id,
        min_by(
            {
                'finding': case when gap_finding = 'ownerless' and has_lost_its_owner then 'owner_left'
                    when gap_finding = 'ownerless' then 'no_owner' else gap_finding end,
                'gap_from': gap_from, 'gap_to': gap_to, 'due_at': due_at, 'grace_days': grace_days
            },
            (case gap_finding when 'ownerless' then 1 when 'state_unobserved' then 2 when 'not due' then 3 else 4 end, gap_from)
        ) as gap,
        max({{ seconds_between('gap_from', 'least(gap_to, cutoff_at)') }}) / 86400 as longest_days
    from judged_gaps
    group by period_id, identity_id
),

registered as (
    select period_id, identity_id, flatten(list(evidence)) as evidence
    from {{ ref('fct_ownership') }}
    group by period_id, identity_id
),

population as (
    select
        active.period_id,
        any_value(active.start_at) as start_at,
        active.cutoff_at,
        active.identity_id,
        identities.identity_id as subject_id,
        identities.system,
        identities.instance,
        identities.display_name,
        identities.identity_type,
        identities.account_type,
        cast(null as varchar) as credential_type,
        identities.tags,
        min(greatest(active.active_from, active.start_at)) as active_in_period_from,
        any_value(identities.evidence) || flatten(list(active.evidence)) || coalesce(any_value(registered.evidence), cast([] as varchar[]))
            as evidence
    from active
    inner join identities on active.identity_id = identities.identity_id
    left join registered on active.period_id = registered.period_id and active.identity_id = registered.identity_id
    group by all
),

with_grace as (
    select * from {{ with_policy('population', 'OWN', 'grace_days', 'active_in_period_from') }}
),

operations as (
    select
        population.* exclude (grace_days),
        worst.gap.gap_from as gap_from,
        worst.gap.gap_to as gap_to,
        worst.gap.due_at as due_at,
        coalesce(worst.gap.grace_days, population.grace_days) as grace_days,
        coalesce(worst.longest_days, 0) as longest_days,
        case
            when not registers.is_there then 'owner_register_gap'
            when worst.identity_id is null or worst.gap.finding = 'short' then 'owned'
            else worst.gap.finding
        end as finding
    from with_grace as population
    left join worst on population.period_id = worst.period_id and population.identity_id = worst.identity_id
    cross join registers
),

described as (
    select
        * replace (case when finding in ('owned', 'owner_register_gap') then cast(null as timestamp) else due_at end as due_at),
        'identity' as subject_type,
        display_name as subject_name,
        '' as entitlement,
        '' as cycle,
        '' as distinguished_by,
        case when finding in ('owned', 'owner_register_gap') then active_in_period_from else gap_from end as opened_at,
        case when finding in ('no_owner', 'owner_left', 'not due') and gap_to <= cutoff_at then gap_to end as performed_at,
        'ownerless_days' as measure_name,
        case when finding <> 'owner_register_gap' then round(
            case when finding in ('no_owner', 'owner_left')
                then {{ seconds_between('gap_from', 'least(gap_to, cutoff_at)') }} / 86400 else longest_days end, 6
        ) end as measure_value,
        grace_days as threshold_value,
        'days' as unit,
        case
            when finding = 'owned' then 'operated'
            when finding = 'not due' then 'pending'
            when finding in ('no_owner', 'owner_left') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case when finding not in ('owned', 'not due') then finding end as reason,
        case finding
            when 'owned' then case when longest_days > 0
                then 'Owned but for gaps of at most ' || {{ said_number('longest_days') }} || ' d; '
                    || {{ said_number('grace_days') }} || ' d allowed.'
                else 'Owned by an active human all the time.' end
            when 'not due' then 'Without an owner since ' || {{ said('gap_from') }} || '; one is due by ' || {{ said('due_at') }} || '.'
            when 'no_owner' then 'Nobody on the payroll owned it from ' || {{ said('gap_from') }}
                || case when gap_to <= cutoff_at then ' to ' || {{ said('gap_to') }} else ' on' end || '; '
                || {{ said_number('grace_days') }} || ' d allowed, until ' || {{ said('due_at') }} || '.'
            when 'owner_left' then 'Its owner left on ' || {{ said('gap_from') }} || ' and nobody took over'
                || case when gap_to <= cutoff_at then ' until ' || {{ said('gap_to') }} else '' end || '; '
                || {{ said_number('grace_days') }} || ' d allowed, until ' || {{ said('due_at') }} || '.'
            when 'owner_register_gap' then 'No register of owners was collected.'
            else 'Without an owner since ' || {{ said('gap_from') }} || ', past the grace on ' || {{ said('due_at') }}
                || '; nothing shows that it was still active then.'
        end as reason_text,
        due_at as began_at
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'OWN') }}
)

select * from judged
