-- ROT: every credential interval that overlaps the period is closed within its maximum age.
with

population as (
    select
        periods.period_id,
        periods.start_at,
        periods.cutoff_at,
        intervals.*,
        cast(null as varchar) as account_type,
        intervals.credential_id as subject_id,
        coalesce(intervals.opened_at, intervals.opened_by) as clock_start
    from {{ ref('fct_credential_intervals') }} as intervals
    inner join {{ ref('dim_periods') }} as periods
        on intervals.opened_by < periods.cutoff_at
        and (intervals.closed_at is null or intervals.closed_at > periods.start_at)
),

under_policy as (
    select
        *,
        opened_at + {{ days('max_age_days') }} as deadline
    from {{ with_policy('population', 'ROT', 'max_age_days', 'clock_start') }}
),

-- A key may pause: its age runs on, its breach does not. One that pauses at T with its deadline behind it is closed as
-- far as the period can tell: that it came back later is the later period's matter.
pauses_at_cutoff as (
    select
        *,
        list_filter(pauses, pause -> pause.inactive_from <= cutoff_at and pause.active_again_at >= cutoff_at
            and deadline < cutoff_at)[1] as last_pause
    from under_policy
),

in_sight as (
    select * replace (
        case when last_pause is null then closed_at else last_pause.inactive_from end as closed_at,
        case when last_pause is null then known_open_until else last_pause.known_open_until end as known_open_until,
        case when last_pause is null then closed_evidence else last_pause.evidence end as closed_evidence
    )
    from pauses_at_cutoff
    where last_pause is null or last_pause.inactive_from > start_at
),

-- A later key of the same account that was opened while this one was still open, or took its place.
successors as (
    select
        interval_.period_id,
        interval_.system,
        interval_.instance,
        interval_.credential_id,
        interval_.opened_by,
        min(successor.opened_at) as successor_opened_at
    from in_sight as interval_
    inner join {{ ref('fct_credential_intervals') }} as successor
        on interval_.system = successor.system and interval_.instance = successor.instance
        and interval_.account_id = successor.account_id and interval_.credential_type = successor.credential_type
        and successor.opened_at > interval_.opened_by
        and (interval_.closed_at is null or successor.opened_at <= interval_.closed_at)
    where interval_.custody = 'key'
    group by all
),

timed as (
    select
        in_sight.*,
        -- What ends it for this period: a closing by T, or a later one that proves it closed in time.
        case when closed_at <= greatest(cutoff_at, deadline) then closed_at end as ended_at,
        -- The first instant past the deadline at which the key was active.
        coalesce(
            list_filter(pauses, pause -> pause.inactive_from <= deadline and pause.active_again_at > deadline)[1].active_again_at,
            deadline
        ) as began_at,
        successors.successor_opened_at,
        case
            when custody = 'versioned' then ending = 'next version'
            else successors.successor_opened_at is not null
        end as has_successor
    from in_sight
    left join successors using (period_id, system, instance, credential_id, opened_by)
),

operations as (
    select
        *,
        greatest(began_at, start_at) as breach_from,
        least(coalesce(ended_at, cutoff_at), cutoff_at) as breach_to,
        case
            when opened_at is null then 'unknown_origin'
            when closed_at <= deadline then 'in time'
            when deadline >= cutoff_at then 'not due'
            when known_open_until > greatest(began_at, start_at) then case when ended_at is null then 'overdue' else 'late' end
            else 'state_unobserved'
        end as finding,
        {{ seconds_between('opened_at', 'coalesce(ended_at, cutoff_at)') }} / 86400 as age_days,
        case when successor_opened_at <= coalesce(ended_at, cutoff_at)
            then {{ seconds_between('successor_opened_at', 'coalesce(ended_at, cutoff_at)') }} / 86400 end as overlap_days
    from timed
),

described as (
    select
        *,
        ({{ seconds_between('breach_from', 'breach_to') }} - coalesce(list_sum(list_transform(pauses, pause -> greatest(0,
            {{ seconds_between('greatest(pause.inactive_from, breach_from)', 'least(pause.active_again_at, breach_to)') }}
        ))), 0)) / 86400 as breach_days,
        'credential' as subject_type,
        credential_name || coalesce(' v' || cast(version as varchar), ' ' || version_id, '') as subject_name,
        '' as entitlement,
        '' as cycle,
        coalesce(cast(version as varchar), version_id, '') || '/' || cast(opened_by as varchar) as distinguished_by,
        deadline as due_at,
        case when finding <> 'state_unobserved' then ended_at end as performed_at,
        'age_days' as measure_name,
        round(age_days, 6) as measure_value,
        max_age_days as threshold_value,
        'days' as unit,
        case
            when finding = 'in time' then 'operated'
            when finding = 'not due' then 'pending'
            when finding in ('late', 'overdue') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case when finding not in ('in time', 'not due') then finding end as reason,
        case finding
            when 'in time' then case when has_successor then 'Rotated' else 'Retired without a successor' end
                || ' at an age of ' || {{ said_number('age_days') }} || ' d; ' || {{ said_number('max_age_days') }} || ' d allowed'
                || case when overlap_days > 0 then '; ' || {{ said_number('overlap_days') }} || ' d beside its successor' else '' end
                || '.'
            when 'not due' then 'Open at an age of ' || {{ said_number('age_days') }} || ' d; due by ' || {{ said('deadline') }} || '.'
            when 'late' then 'Closed ' || {{ said('closed_at') }} || ' at an age of ' || {{ said_number('age_days') }} || ' d; '
                || {{ said_number('max_age_days') }} || ' d allowed; ' || {{ said_number('breach_days') }} || ' d in breach within the period.'
            when 'overdue' then 'Still open at an age of ' || {{ said_number('age_days') }} || ' d; '
                || {{ said_number('max_age_days') }} || ' d allowed; ' || {{ said_number('breach_days') }} || ' d in breach within the period.'
            when 'unknown_origin' then 'Nothing shows when it was created: first known open by ' || {{ said('opened_by') }} || '.'
            else 'Due by ' || {{ said('deadline') }} || '; last known open ' || {{ said('known_open_until') }}
                || coalesce(', known closed by ' || {{ said('ended_at') }}, '')
                || '. A gap in the logs could hide its closing in time.'
        end as reason_text,
        opened_evidence || case when ended_at is not null then closed_evidence else seen_evidence end as evidence
    from operations
),

judged as (
    select
        judged_operation.*,
        case when judged_operation.outcome in ('deviation', 'waived') then described.breach_days end as breach_days,
        described.overlap_days
    from {{ judged_operations('described', 'ROT') }} as judged_operation
    inner join described using (period_id, system, instance, subject_id, distinguished_by)
)

select * from judged
