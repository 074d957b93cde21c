-- OFF: every account of a leaver that was active at termination is closed within the SLA. Each account stands on its
-- own: the last way in counts, not the directory's.
with

leavers_accounts as (
    select
        terminations.*,
        periods.start_at,
        periods.end_at,
        periods.cutoff_at,
        periods.as_of,
        accounts.system,
        accounts.instance,
        accounts.account_id,
        accounts.account_id as subject_id,
        accounts.account_name,
        accounts.account_type,
        cast(null as varchar) as credential_type,
        accounts.tags,
        accounts.link_evidence,
        creations.created_at
    from {{ ref('fct_terminations') }} as terminations
    inner join {{ ref('dim_periods') }} as periods on terminations.period_id = periods.period_id
    inner join {{ ref('dim_accounts') }} as accounts on terminations.identity_id = accounts.identity_id
    left join {{ ref('fct_account_creations') }} as creations
        on accounts.system = creations.system and accounts.instance = creations.instance
        and accounts.account_id = creations.account_id
),

under_policy as (
    select *, terminated_at + {{ hours('sla_hours') }} as due_at
    from {{ with_policy('leavers_accounts', 'OFF', 'sla_hours', 'terminated_at') }}
),

-- Active at termination, or closed at most 30 days before it.
dated_population as (
    select distinct
        leaver.*,
        case
            when is_whole_day then terminated_at > start_at and terminated_at <= end_at
            else terminated_at >= start_at and terminated_at < end_at
        end as is_of_this_period
    from under_policy as leaver
    inner join {{ ref('fct_account_spells') }} as spells
        on leaver.system = spells.system and leaver.instance = spells.instance and leaver.account_id = spells.account_id
    where terminated_at is not null and terminated_at <= cutoff_at
        and coalesce(
            spells.opened_at <= terminated_at,
            spells.opened_by <= terminated_at or coalesce(leaver.created_at <= terminated_at, true)
        )
        and (spells.closed_at is null or spells.closed_at >= terminated_at - interval 30 day)
        and (rehired_at is null or rehired_at > due_at)
),

-- How things stood at the end of the time that counts: T, the deadline where evidence reaches it, or a rehire.
horizons as (
    select *, least(coalesce(rehired_at, timestamp '9999-01-01'), greatest(cutoff_at, least(due_at, as_of))) as horizon
    from dated_population
),

last_spells as (
    select
        horizons.*,
        max_by({
            'closed_at': case when spells.closed_at <= horizon then spells.closed_at end,
            'known_open_until': case when spells.known_open_until < horizon then spells.known_open_until
                when spells.known_open_until >= horizon then horizon end,
            'opened_evidence': spells.opened_evidence,
            'seen_evidence': spells.seen_evidence,
            'closed_evidence': spells.closed_evidence
        }, (spells.opened_by, coalesce(spells.closed_at, timestamp '9999-01-01'))) as spell
    from horizons
    -- An account that nothing shows before the horizon keeps its row: its state was not observed.
    left join {{ ref('fct_account_spells') }} as spells
        on horizons.system = spells.system and horizons.instance = spells.instance
        and horizons.account_id = spells.account_id
        and (spells.opened_by < horizon or spells.closed_at <= horizon)
    group by all
),

uses_after_deadline as (
    select
        last_spells.period_id,
        last_spells.system,
        last_spells.instance,
        last_spells.account_id,
        last_spells.terminated_at,
        min(case when usage.first_success_at > due_at then usage.first_success_at else usage.last_success_at end) as used_at,
        min_by(
            case when usage.first_success_at > due_at then usage.first_success_evidence else usage.last_success_evidence end,
            case when usage.first_success_at > due_at then usage.first_success_at else usage.last_success_at end
        ) as use_evidence
    from last_spells
    inner join {{ ref('fct_usage_daily') }} as usage
        on last_spells.system = usage.system and last_spells.instance = usage.instance
        and last_spells.account_id = usage.account_id
    where usage.last_success_at > due_at
        and case when usage.first_success_at > due_at then usage.first_success_at else usage.last_success_at end
            <= least(cutoff_at, coalesce(rehired_at, cutoff_at))
    group by all
),

operations as (
    select
        last_spells.*,
        spell.closed_at as closed_at,
        spell.known_open_until as known_open_until,
        uses.used_at,
        uses.use_evidence,
        case
            when uses.used_at is not null then 'used_after_deadline'
            when spell.closed_at <= due_at then 'in time'
            when due_at > cutoff_at then 'not due'
            when spell.known_open_until >= due_at then case when spell.closed_at <= cutoff_at then 'late' else 'not_disabled' end
            else 'state_unobserved'
        end as finding
    from last_spells
    left join uses_after_deadline as uses using (period_id, system, instance, account_id, terminated_at)
),

-- What was still pending when the period began belongs to it too, where it falls due in it.
of_the_period as (
    select *
    from operations
    where is_of_this_period
        or (terminated_at <= start_at and due_at > start_at and due_at <= end_at
            and (closed_at is null or closed_at >= start_at))
),

undated as (
    select
        leaver.* exclude (due_at, sla_hours),
        cast(null as double) as sla_hours,
        cast(null as timestamp) as due_at,
        max_by(
            {
                'closed_at': case when spells.closed_at <= as_of then spells.closed_at end,
                'evidence': spells.opened_evidence || spells.seen_evidence || spells.closed_evidence
            },
            (spells.opened_by, coalesce(spells.closed_at, timestamp '9999-01-01'))
        ) as spell
    from under_policy as leaver
    inner join {{ ref('fct_account_spells') }} as spells
        on leaver.system = spells.system and leaver.instance = spells.instance and leaver.account_id = spells.account_id
    where terminated_at is null and left_unknown_by >= start_at and left_unknown_by < cutoff_at
        and spells.opened_by <= left_unknown_by
        and (spells.closed_at is null or spells.closed_at >= left_unknown_by - interval 30 day)
    group by all
),

together as (
    select
        period_id, system, instance, subject_id, account_name, identity_id, full_name, terminated_at, due_at, closed_at,
        known_open_until, used_at, sla_hours, finding, left_unknown_by, left_unknown_because,
        evidence || [link_evidence, use_evidence] || coalesce(
            spell.opened_evidence || case when closed_at is not null then spell.closed_evidence else spell.seen_evidence end,
            cast([] as varchar[])
        ) as evidence
    from of_the_period
    union all by name
    select
        period_id, system, instance, subject_id, account_name, identity_id, full_name, terminated_at, due_at,
        spell.closed_at as closed_at, sla_hours, 'termination_time_unknown' as finding, left_unknown_by, left_unknown_because,
        evidence || [link_evidence] || spell.evidence as evidence
    from undated
),

-- The non-human identities the leaver owned at termination: they need another owner.
owned as (
    select together.period_id, together.identity_id, together.terminated_at,
        count(distinct owners.identity_id) as owned_identities, list(owners.decision_evidence) as owner_evidence
    from together
    inner join {{ ref('dim_periods') }} as periods on together.period_id = periods.period_id
    inner join {{ ref('dim_identities') }} as people on together.identity_id = people.identity_id
    inner join {{ in_force('owners') }} as owners on owners.owner_email = people.email
    where coalesce({{ local_midnight('owners.first_day', 'periods.timezone') }} < together.terminated_at, true)
        and coalesce({{ local_midnight('owners.last_day + 1', 'periods.timezone') }} >= together.terminated_at, true)
        and together.terminated_at is not null
    group by all
),

described as (
    select
        together.* replace (evidence || coalesce(owner_evidence, cast([] as varchar[])) as evidence),
        'account' as subject_type,
        account_name as subject_name,
        '' as entitlement,
        '' as cycle,
        coalesce(cast(terminated_at as varchar), cast(left_unknown_by as varchar)) as distinguished_by,
        terminated_at as opened_at,
        case when finding <> 'state_unobserved' then closed_at end as performed_at,
        'lag_hours' as measure_name,
        case when finding <> 'state_unobserved' then round({{ seconds_between('terminated_at', 'closed_at') }} / 3600, 6) end
            as measure_value,
        sla_hours as threshold_value,
        'hours' as unit,
        case
            when finding = 'in time' then 'operated'
            when finding = 'not due' then 'pending'
            when finding in ('late', 'not_disabled', 'used_after_deadline') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case when finding not in ('in time', 'not due') then finding end as reason,
        case finding
            when 'in time' then 'Closed ' || {{ said_number(seconds_between('terminated_at', 'closed_at') ~ ' / 3600') }}
                || ' h after the termination; ' || {{ said_number('sla_hours') }} || ' h allowed.'
            when 'not due' then 'Terminated ' || {{ said('terminated_at') }} || '; to be closed by ' || {{ said('due_at') }} || '.'
            when 'late' then 'Closed ' || {{ said_number(seconds_between('terminated_at', 'closed_at') ~ ' / 3600') }}
                || ' h after the termination, on ' || {{ said('closed_at') }} || '; ' || {{ said_number('sla_hours') }}
                || ' h allowed, until ' || {{ said('due_at') }} || '.'
            when 'not_disabled' then 'Terminated ' || {{ said('terminated_at') }} || '; still open, '
                || {{ said_number('sla_hours') }} || ' h allowed.'
            when 'used_after_deadline' then 'Used on ' || {{ said('used_at') }} || ', after the deadline ' || {{ said('due_at') }}
                || coalesce('; closed ' || {{ said('closed_at') }}, '; still open') || '.'
            when 'termination_time_unknown' then 'No termination time: ' || left_unknown_because || '.'
            else 'Due by ' || {{ said('due_at') }} || '; ' || coalesce('last known open ' || {{ said('known_open_until') }},
                'nothing shows the account until then') || coalesce(', known closed by ' || {{ said('closed_at') }}, '')
                || '. A gap in the logs could hide its closing in time.'
        end || coalesce(' Non-human identities the leaver owned: ' || cast(owned_identities as varchar) || '.', '')
            as reason_text,
        due_at as began_at
    from together
    left join owned using (period_id, identity_id, terminated_at)
),

judged as (
    select * from {{ judged_operations('described', 'OFF') }}
)

select * from judged
