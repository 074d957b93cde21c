-- DEC: every account and credential of a retired non-human identity is revoked within the SLA of the approval, and not used
-- in the observation window after that.
with

retired as (
    select
        retirements.*,
        periods.period_id,
        periods.start_at,
        periods.end_at,
        periods.cutoff_at,
        periods.as_of
    from {{ ref('fct_nhi_retirements') }} as retirements
    cross join {{ ref('dim_periods') }} as periods
    where retirements.approved_at <= periods.cutoff_at
),

under_sla as (
    select *, approved_at + {{ days('sla_days') }} as due_at
    from {{ with_policy('retired', 'DEC', 'sla_days', 'approved_at') }}
),

under_policy as (
    select *, greatest(cutoff_at, least(due_at, as_of)) as horizon
    from {{ with_policy('under_sla', 'DEC', 'observation_days', 'approved_at') }}
),

-- Open at the approval, or closed at most 30 days before it.
population as (
    select distinct retired.*
    from under_policy as retired
    inner join {{ ref('fct_revocable_spells') }} as spells
        on retired.subject_type = spells.subject_type and retired.system = spells.system
        and retired.instance = spells.instance and retired.subject_id = spells.subject_id
    where coalesce(spells.opened_at <= approved_at, true)
        and (spells.closed_at is null or spells.closed_at >= approved_at - interval 30 day)
),

last_spells as (
    select
        population.*,
        max_by({
            'closed_at': case when spells.closed_at <= horizon then spells.closed_at end,
            'known_open_until': spells.known_open_until,
            'evidence': spells.opened_evidence || case when spells.closed_at <= horizon then spells.closed_evidence
                else spells.seen_evidence end
        }, (spells.opened_by, coalesce(spells.closed_at, timestamp '9999-01-01'))) as spell
    from population
    left join {{ ref('fct_revocable_spells') }} as spells
        on population.subject_type = spells.subject_type and population.system = spells.system
        and population.instance = spells.instance and population.subject_id = spells.subject_id
        and (spells.opened_by < horizon or spells.closed_at <= horizon)
    group by all
),

revoked as (
    select
        * exclude (spell),
        spell.closed_at as closed_at,
        spell.known_open_until as known_open_until,
        coalesce(spell.evidence, cast([] as varchar[])) as spell_evidence,
        spell.closed_at + {{ days('observation_days') }} as observed_until
    from last_spells
),

uses as (
    select 'account' as subject_type, system, instance, account_id as subject_id, used_at, evidence
    from {{ ref('int_account_uses') }}
    union all
    select 'credential', system, instance, credential_id, unnest([first_success_at, last_success_at]),
        unnest([first_success_evidence, last_success_evidence])
    from {{ ref('fct_usage_daily') }}
    where credential_id is not null and last_success_at is not null
),

uses_afterwards as (
    select revoked.period_id, revoked.subject_type, revoked.system, revoked.instance, revoked.subject_id,
        min(uses.used_at) as used_at, min_by(uses.evidence, uses.used_at) as use_evidence
    from revoked
    inner join uses using (subject_type, system, instance, subject_id)
    where uses.used_at > revoked.closed_at and uses.used_at <= least(revoked.observed_until, revoked.as_of)
    group by all
),

-- Refused attempts prove that the revocation works: counted and shown, no deviation.
refusals as (
    select revoked.period_id, revoked.subject_type, revoked.system, revoked.instance, revoked.subject_id,
        count(distinct usage.usage_date) as refused_days, max(usage.last_failure_at) as last_refused_at
    from revoked
    inner join {{ ref('fct_usage_daily') }} as usage
        on revoked.system = usage.system and revoked.instance = usage.instance
        and revoked.subject_id = case revoked.subject_type when 'account' then usage.account_id else usage.credential_id end
    where usage.last_failure_at > revoked.closed_at and usage.last_failure_at <= least(revoked.observed_until, revoked.as_of)
    group by all
),

gaps as (
    select revoked.period_id, revoked.subject_type, revoked.system, revoked.instance, revoked.subject_id,
        min_by({'log': gap.log, 'why': gap.why, 'gap_from': greatest(gap.gap_from, revoked.closed_at),
            'gap_to': least(gap.gap_to, revoked.observed_until)}, (greatest(gap.gap_from, revoked.closed_at), gap.log)) as gap,
        list(gap.decision_evidence) as gap_evidence
    from revoked
    inner join {{ ref('fct_use_log_gaps') }} as gap
        on revoked.period_id = gap.period_id and revoked.system = gap.system and revoked.instance = gap.instance
        and gap.gap_from < revoked.observed_until and gap.gap_to > revoked.closed_at
    group by all
),

operations as (
    select
        revoked.*,
        uses.used_at,
        uses.use_evidence,
        refusals.refused_days,
        refusals.last_refused_at,
        gaps.gap,
        gaps.gap_evidence,
        case
            when uses.used_at is not null then 'used_after_revocation'
            when closed_at <= due_at then case
                when observed_until > as_of then 'observed'
                when gaps.gap is not null then 'monitoring_gap'
                else 'in time'
            end
            when due_at > cutoff_at then 'not due'
            when known_open_until >= due_at then case when closed_at is null then 'not_revoked' else 'late' end
            else 'state_unobserved'
        end as finding
    from revoked
    left join uses_afterwards as uses using (period_id, subject_type, system, instance, subject_id)
    left join refusals using (period_id, subject_type, system, instance, subject_id)
    left join gaps using (period_id, subject_type, system, instance, subject_id)
),

-- What was still pending when the period began belongs to it too, where it falls due in it.
of_the_period as (
    select *
    from operations
    where (approved_at >= start_at and approved_at < end_at)
        or (approved_at < start_at and due_at > start_at and due_at <= end_at and (closed_at is null or closed_at >= start_at))
),

described as (
    select
        * replace (
            evidence || spell_evidence || [use_evidence]
                || case when finding = 'monitoring_gap' then gap_evidence else cast([] as varchar[]) end as evidence
        ),
        '' as entitlement,
        '' as cycle,
        '' as distinguished_by,
        approved_at as opened_at,
        case when finding <> 'state_unobserved' then closed_at end as performed_at,
        'lag_days' as measure_name,
        case when finding <> 'state_unobserved' then round({{ seconds_between('approved_at', 'closed_at') }} / 86400, 6) end
            as measure_value,
        sla_days as threshold_value,
        'days' as unit,
        case
            when finding = 'in time' then 'operated'
            when finding in ('not due', 'observed') then 'pending'
            when finding in ('not_revoked', 'late', 'used_after_revocation') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case when finding not in ('in time', 'not due', 'observed') then finding end as reason,
        case finding
            when 'in time' then 'Revoked ' || {{ said_number(seconds_between('approved_at', 'closed_at') ~ ' / 86400') }}
                || ' d after the approval, ' || {{ said_number('sla_days') }} || ' d allowed; not used until '
                || {{ said('observed_until') }} || '.'
            when 'observed' then 'Revoked on ' || {{ said('closed_at') }} || '; observed until ' || {{ said('observed_until') }} || '.'
            when 'not due' then 'Retirement approved ' || {{ said('approved_at') }} || '; to be revoked by ' || {{ said('due_at') }} || '.'
            when 'late' then 'Revoked on ' || {{ said('closed_at') }} || ', '
                || {{ said_number(seconds_between('approved_at', 'closed_at') ~ ' / 86400') }} || ' d after the approval; '
                || {{ said_number('sla_days') }} || ' d allowed, until ' || {{ said('due_at') }} || '.'
            when 'not_revoked' then 'Retirement approved ' || {{ said('approved_at') }} || '; still open, '
                || {{ said_number('sla_days') }} || ' d allowed, until ' || {{ said('due_at') }} || '.'
            when 'used_after_revocation' then 'Used on ' || {{ said('used_at') }} || ', after it was revoked on '
                || {{ said('closed_at') }} || '.'
            when 'monitoring_gap' then 'Revoked on ' || {{ said('closed_at') }} || '; '
                || case gap.why
                    when 'no_log' then 'no required log shows use of ' || system
                    when 'no_events' then gap.log || ' is silent from ' || {{ said('gap.gap_from') }} || ' to ' || {{ said('gap.gap_to') }}
                    else gap.log || ' was not collected from ' || {{ said('gap.gap_from') }} || ' to ' || {{ said('gap.gap_to') }}
                end || ', within the observation until ' || {{ said('observed_until') }} || '.'
            else 'Due by ' || {{ said('due_at') }} || '; ' || coalesce('last known open ' || {{ said('known_open_until') }},
                'nothing shows it until then') || coalesce(', known closed by ' || {{ said('closed_at') }}, '')
                || '. A gap in the logs could hide its closing in time.'
        end || case when refused_days > 0 then ' Attempts were refused on ' || cast(refused_days as varchar)
            || ' days, the last on ' || {{ said('last_refused_at') }} || '.' else '' end as reason_text,
        case when finding = 'used_after_revocation' then used_at else due_at end as began_at
    from of_the_period
),

judged as (
    select * from {{ judged_operations('described', 'DEC') }}
)

select * from judged
