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
    select * from {{ with_policy('population', 'ROT', 'max_age_days', 'clock_start') }}
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
    from population as interval_
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
        under_policy.*,
        opened_at + {{ days('max_age_days') }} as deadline,
        closed_at is not null and closed_at <= cutoff_at as is_closed_by_cutoff,
        successors.successor_opened_at,
        case
            when custody = 'versioned' then ending = 'next version'
            else successors.successor_opened_at is not null
        end as has_successor
    from under_policy
    left join successors using (period_id, system, instance, credential_id, opened_by)
),

operations as (
    select
        *,
        greatest(deadline, start_at) as breach_from,
        least(coalesce(closed_at, cutoff_at), cutoff_at) as breach_to,
        case
            when opened_at is null then 'unknown_origin'
            when closed_at <= deadline then 'in time'
            when deadline >= cutoff_at then 'not due'
            when known_open_until > greatest(deadline, start_at) then case when is_closed_by_cutoff then 'late' else 'overdue' end
            else 'state_unobserved'
        end as finding,
        {{ seconds_between('opened_at', 'case when closed_at <= greatest(cutoff_at, deadline) then closed_at else cutoff_at end') }}
            / 86400 as age_days
    from timed
),

described as (
    select
        *,
        {{ seconds_between('breach_from', 'breach_to') }} / 86400 as breach_days,
        {{ seconds_between('successor_opened_at', 'coalesce(closed_at, cutoff_at)') }} / 86400 as overlap_days,
        'credential' as subject_type,
        credential_name || case when version is not null then ' v' || cast(version as varchar) else '' end as subject_name,
        '' as entitlement,
        '' as cycle,
        coalesce(cast(version as varchar), '') || '/' || cast(opened_by as varchar) as distinguished_by,
        deadline as due_at,
        case when finding in ('in time', 'late') or opened_at is null then closed_at end as performed_at,
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
                || ' at an age of ' || {{ said_number('age_days') }} || ' d; ' || {{ said_number('max_age_days') }} || ' d allowed.'
            when 'not due' then 'Open at an age of ' || {{ said_number('age_days') }} || ' d; due by ' || {{ said('deadline') }} || '.'
            when 'late' then 'Closed ' || {{ said('closed_at') }} || ' at an age of ' || {{ said_number('age_days') }} || ' d; '
                || {{ said_number('max_age_days') }} || ' d allowed; ' || {{ said_number('breach_days') }} || ' d in breach within the period.'
            when 'overdue' then 'Still open at an age of ' || {{ said_number('age_days') }} || ' d; '
                || {{ said_number('max_age_days') }} || ' d allowed; ' || {{ said_number('breach_days') }} || ' d in breach within the period.'
            when 'unknown_origin' then 'Nothing shows when it was created: first known open by ' || {{ said('opened_by') }} || '.'
            else 'Due by ' || {{ said('deadline') }} || '; last known open ' || {{ said('known_open_until') }}
                || coalesce(', known closed by ' || {{ said('closed_at') }}, '')
                || '. A gap in the logs could hide its closing in time.'
        end as reason_text,
        deadline as began_at,
        opened_evidence || case
            when closed_at is not null and (closed_at <= cutoff_at or closed_at <= deadline) then closed_evidence
            else seen_evidence
        end as evidence
    from operations
),

judged as (
    select
        judged_operation.*,
        case when judged_operation.outcome in ('deviation', 'waived') then described.breach_days end as breach_days,
        greatest(described.overlap_days, 0) as overlap_days
    from {{ judged_operations('described', 'ROT') }} as judged_operation
    inner join described using (period_id, system, instance, subject_id, distinguished_by)
)

select * from judged
