-- REV: every account that is active when a review cycle is launched is decided on, by somebody else, by the due date.
{%- set launch_day -%}
coalesce({{ local_midnight('campaigns.launched_on', 'cycles.timezone') }}, campaigns.launched_at)
{%- endset %}
with

calendar as (
    select
        period_id,
        timezone,
        start_at,
        end_at,
        as_of,
        cutoff_at,
        lengths.frequency as cycle_frequency,
        cast(cycle_start as date) as start_day,
        cast(cycle_start + to_months(lengths.months) as date) as end_day,
        {{ local_midnight('cycle_start', 'timezone') }} as cycle_start_at,
        {{ local_midnight('cycle_start + to_months(lengths.months)', 'timezone') }} as cycle_end_at,
        case lengths.frequency
            when 'monthly' then strftime(cycle_start, '%Y-%m')
            when 'quarterly' then strftime(cycle_start, '%Y') || '-Q' || cast(quarter(cycle_start) as varchar)
            when 'semiannual' then strftime(cycle_start, '%Y') || '-H' || cast((month(cycle_start) + 5) // 6 as varchar)
            else strftime(cycle_start, '%Y')
        end as cycle
    from (
        select periods.*, lengths,
            unnest(generate_series(date_trunc('year', start_date), cast(end_date as timestamp), to_months(lengths.months)))
                as cycle_start
        from {{ ref('dim_periods') }} as periods
        cross join (
            select unnest([
                {'frequency': 'monthly', 'months': 1}, {'frequency': 'quarterly', 'months': 3},
                {'frequency': 'semiannual', 'months': 6}, {'frequency': 'annual', 'months': 12}
            ]) as lengths
        )
    )
    -- Only cycles that lie in the period whole.
    where cast(cycle_start as date) >= start_date and cast(cycle_start + to_months(lengths.months) as date) <= end_date
),

-- A review still pending at the end of its own period belongs also to the period in which it falls due.
cycles as (
    select *, cast(null as timestamp) as pending_at from calendar
    union all by name
    select
        later.period_id, later.timezone, later.start_at, later.end_at, later.as_of, later.cutoff_at,
        calendar.cycle_frequency, calendar.start_day, calendar.end_day, calendar.cycle_start_at, calendar.cycle_end_at,
        calendar.cycle, min(calendar.end_at) as pending_at
    from calendar
    inner join {{ ref('dim_periods') }} as later on later.start_at > calendar.cycle_start_at
    group by all
),

campaigns as (
    select source_instance, campaign_id, min(launched_at) as launched_at, min(launched_on) as launched_on,
        max(due_at) as due_at, max(due_on) as due_on, list_distinct(list(system)) as systems
    from {{ ref('fct_review_decisions') }}
    group by source_instance, campaign_id
),

-- What is dated without a time means the end of that day; a decision may still be made on the day of the launch.
campaigns_of_cycles as (
    select
        cycles.period_id,
        cycles.cycle,
        cycles.cycle_frequency,
        cycles.timezone,
        campaigns.source_instance,
        campaigns.campaign_id,
        campaigns.systems,
        {{ launch_day }} as open_from,
        coalesce({{ local_midnight('campaigns.launched_on + 1', 'cycles.timezone') }}, campaigns.launched_at) as launched_at,
        coalesce({{ local_midnight('campaigns.due_on + 1', 'cycles.timezone') }}, campaigns.due_at, cycles.cycle_end_at)
            as due_at
    from cycles
    inner join campaigns on {{ launch_day }} >= cycles.cycle_start_at and {{ launch_day }} < cycles.cycle_end_at
),

-- The first campaign that names the account's system launches its review, else the first of the cycle.
launches as (
    select
        known.system,
        campaigns.period_id,
        campaigns.cycle,
        campaigns.cycle_frequency,
        min_by(
            {'open_from': open_from, 'launched_at': launched_at, 'due_at': due_at},
            (not list_contains(campaigns.systems, known.system), open_from, campaign_id)
        ) as launch
    from campaigns_of_cycles as campaigns
    cross join (select distinct system from {{ ref('dim_accounts') }}) as known
    group by all
),

accounts_in_cycles as (
    select
        cycles.*,
        accounts.system,
        accounts.instance,
        accounts.account_id,
        accounts.account_id as subject_id,
        accounts.account_name,
        accounts.user_name,
        accounts.email,
        accounts.identity_id,
        accounts.identity_type,
        accounts.is_human,
        accounts.account_type,
        cast(null as varchar) as credential_type,
        accounts.tags,
        accounts.evidence as account_evidence,
        creations.created_at,
        launches.launch.open_from as open_from,
        launches.launch.launched_at as launched_at,
        coalesce(launches.launch.launched_at, cycles.cycle_end_at - interval 1 microsecond) as counted_at,
        coalesce(launches.launch.due_at, cycles.cycle_end_at) as due_at
    from cycles
    cross join {{ ref('dim_accounts') }} as accounts
    left join launches
        on cycles.period_id = launches.period_id and cycles.cycle = launches.cycle
        and cycles.cycle_frequency = launches.cycle_frequency and accounts.system = launches.system
    left join {{ ref('fct_account_creations') }} as creations
        on accounts.system = creations.system and accounts.instance = creations.instance
        and accounts.account_id = creations.account_id
    where case
        -- A cycle that has not ended counts once its review is launched.
        when cycles.pending_at is null
            then cycles.cycle_end_at <= cycles.cutoff_at or launches.launch.launched_at < cycles.cutoff_at
        else launches.launch.due_at > greatest(cycles.pending_at, cycles.start_at) and launches.launch.due_at <= cycles.end_at
    end
),

under_policy as (
    select *
    from {{ with_policy('accounts_in_cycles', 'REV', 'frequency', 'cycle_start_at', 'varchar') }}
    where frequency = cycle_frequency
),

under_both_policies as (
    select * from {{ with_policy('under_policy', 'REV', 'exclude_sole_owner', 'counted_at', 'boolean') }}
),

-- Active at launch by IAM evidence, never by the campaign's own list; without a campaign, at the end of the cycle.
population as (
    select *
    from (
        select
            candidates.*,
            bool_or(
                spells.opened_by <= counted_at and spells.known_open_until >= counted_at
                and (spells.closed_at is null or spells.closed_at > counted_at)
            ) as is_active,
            bool_or(
                spells.opened_by <= counted_at and spells.known_open_until < counted_at
                and (spells.closed_at is null or spells.closed_at > counted_at)
                or spells.opened_at is null and spells.opened_by > counted_at
                and coalesce(candidates.created_at <= counted_at, true)
            ) as is_unknown,
            max_by(
                spells.opened_evidence || spells.seen_evidence,
                (spells.opened_by, coalesce(spells.closed_at, timestamp '9999-01-01'))
            ) filter (spells.opened_by <= counted_at) as spell_evidence
        from under_both_policies as candidates
        inner join {{ ref('fct_account_spells') }} as spells
            on candidates.system = spells.system and candidates.instance = spells.instance
            and candidates.account_id = spells.account_id
        group by all
    )
    where is_active or is_unknown
),

-- By which addresses and names people are known: a reviewer's may be that of another account of the same person.
reviewers as (
    select lower(name) as reviewer_email, list_distinct(list(identity_id)) as identity_ids
    from (
        select email as name, identity_id from {{ ref('dim_identities') }}
        union all
        select unnest([email, user_name]), identity_id from {{ ref('dim_accounts') }}
    )
    where name is not null and identity_id is not null
    group by lower(name)
),

machines as (
    select distinct lower(name) as reviewer_email
    from (
        select email as name from {{ ref('dim_accounts') }} where identity_type is not null and not is_human
        union all
        select user_name from {{ ref('dim_accounts') }} where identity_type is not null and not is_human
    )
    where name is not null and lower(name) not in (
        select email from {{ ref('dim_identities') }} where is_human and email is not null
    )
),

owners as (
    select
        periods.period_id,
        owners.identity_id,
        owners.owner_email,
        {{ local_midnight('owners.first_day', 'periods.timezone') }} as owns_from,
        {{ local_midnight('owners.last_day + 1', 'periods.timezone') }} as owns_until
    from {{ in_force('owners') }} as owners
    cross join {{ ref('dim_periods') }} as periods
),

items as (
    select
        population.period_id,
        population.cycle,
        population.system,
        population.instance,
        population.account_id,
        decisions.decision,
        coalesce({{ local_midnight('decisions.decided_on + 1', 'campaign.timezone') }}, decisions.decided_at) as decided_at,
        decisions.reviewer_email,
        decisions.evidence,
        coalesce(machines.reviewer_email is null and decisions.reviewer_email is not null and decisions.is_by_machine is not true, false)
            as is_by_human,
        coalesce(list_contains(reviewers.identity_ids, population.identity_id), false)
            or coalesce(decisions.reviewer_identity_id = population.identity_id, false)
            or coalesce(decisions.is_about_own_account, false)
            or coalesce(decisions.reviewer_email = population.email, false)
            or coalesce(decisions.reviewer_email = lower(population.user_name), false) as is_self,
        population.exclude_sole_owner and not population.is_human and (
            select count(distinct owners.owner_email) = 1 and bool_and(owners.owner_email = decisions.reviewer_email)
            from owners
            where owners.period_id = population.period_id and owners.identity_id = population.identity_id
                and (owners.owns_from is null or owners.owns_from <= decisions.decided_at)
                and (owners.owns_until is null or owners.owns_until > decisions.decided_at)
        ) as is_sole_owner,
        population.open_from,
        population.due_at
    from population
    inner join campaigns_of_cycles as campaign
        on population.period_id = campaign.period_id and population.cycle = campaign.cycle
        and population.cycle_frequency = campaign.cycle_frequency
    inner join {{ ref('fct_review_decisions') }} as decisions
        on campaign.source_instance = decisions.source_instance and campaign.campaign_id = decisions.campaign_id
        and population.system = decisions.system and population.instance = decisions.account_instance
        and population.account_id = decisions.account_id
    left join reviewers on decisions.reviewer_email = reviewers.reviewer_email
    left join machines on decisions.reviewer_email = machines.reviewer_email
),

-- Deferring is not deciding, and what a machine decides nobody did.
decisions as (
    select
        *,
        decision in ('approve', 'revoke') and decided_at >= open_from and is_by_human as is_decision,
        is_self or coalesce(is_sole_owner, false) as is_own
    from items
),

-- The last decision by the due date counts; of two at one instant, the one that takes access away.
operations as (
    select
        population.*,
        count(decisions.account_id) > 0 as is_listed,
        max_by(
            {'decided_at': decisions.decided_at, 'decision': decision, 'reviewer': reviewer_email},
            (decisions.decided_at, decision, reviewer_email)
        ) filter (is_decision and not is_own and decisions.decided_at <= decisions.due_at) as counted,
        min(decisions.decided_at)
            filter (is_decision and not is_own and decisions.decided_at > decisions.due_at and decisions.decided_at <= cutoff_at)
            as decided_late_at,
        min(decisions.reviewer_email) filter (is_decision and is_own and decisions.decided_at <= decisions.due_at) as self_reviewer,
        coalesce(flatten(list(decisions.evidence) filter (decisions.evidence is not null)), cast([] as varchar[])) as decision_evidence
    from population
    left join decisions
        on population.period_id = decisions.period_id and population.cycle = decisions.cycle
        and population.system = decisions.system and population.instance = decisions.instance
        and population.account_id = decisions.account_id
    group by all
),

found as (
    select
        * exclude (counted),
        counted.decided_at as decided_at,
        counted.decision as decision,
        counted.reviewer as reviewer,
        case
            when is_active and counted.decided_at is not null then 'decided'
            when due_at > cutoff_at then 'not due'
            when not is_active then 'population_unknown'
            when launched_at is null then 'no_campaign'
            when decided_late_at is not null then 'late_decision'
            when self_reviewer is not null then 'self_review'
            when is_listed then 'no_decision'
            else 'not_in_campaign'
        end as finding
    from operations
    where pending_at is null or counted.decided_at is null or counted.decided_at > pending_at
),

described as (
    select
        *,
        'account' as subject_type,
        account_name as subject_name,
        '' as entitlement,
        '' as distinguished_by,
        coalesce(launched_at, cycle_start_at) as opened_at,
        case finding when 'decided' then decided_at when 'late_decision' then decided_late_at end as performed_at,
        'decision_days' as measure_name,
        round({{ seconds_between('launched_at', "case finding when 'decided' then decided_at when 'late_decision' then decided_late_at end") }} / 86400, 6)
            as measure_value,
        round({{ seconds_between('launched_at', 'due_at') }} / 86400, 6) as threshold_value,
        'days' as unit,
        case finding
            when 'decided' then 'operated'
            when 'not due' then 'pending'
            when 'population_unknown' then 'indeterminate'
            else 'deviation'
        end as verdict,
        case when finding not in ('decided', 'not due') then finding end as reason,
        case finding
            when 'decided' then 'Decided (' || decision || ') by ' || reviewer || ' on ' || {{ said('decided_at') }}
                || '; launched ' || {{ said('launched_at') }} || ', due ' || {{ said('due_at') }} || '.'
            when 'not due' then 'Review launched ' || {{ said('launched_at') }} || '; due ' || {{ said('due_at') }} || '.'
            when 'population_unknown' then 'No evidence shows whether the account was active on ' || {{ said('counted_at') }} || '.'
            when 'no_campaign' then 'No review was launched in ' || cycle || '; the account was active at its end.'
            when 'late_decision' then 'Decided on ' || {{ said('decided_late_at') }} || ', after the due date ' || {{ said('due_at') }} || '.'
            when 'self_review' then 'Decided only by ' || self_reviewer || ', who uses or alone owns the account.'
            when 'no_decision' then 'Listed in the review launched ' || {{ said('launched_at') }} || ' but not decided by anybody by ' || {{ said('due_at') }} || '.'
            else 'Active at the launch on ' || {{ said('launched_at') }} || ' but missing from every review of ' || cycle || '.'
        end as reason_text,
        -- What is due by the end of the cycle is missing within it: a waiver whose days are the cycle's covers it.
        case when due_at = cycle_end_at then due_at - interval 1 microsecond else due_at end as began_at,
        coalesce(spell_evidence, cast([] as varchar[])) || [account_evidence] || decision_evidence as evidence
    from found
),

judged as (
    select * from {{ judged_operations('described', 'REV') }}
)

select * from judged
