-- What stands between a period and its seal: every failed expectation by the days it concerns, and who accepted them.
-- An acceptance covers the days it names; a gap is accepted when all of its days are.
with

feed_gaps as (
    select
        gaps.period_id,
        case lack
            when 'uncovered' then 'required_log_covers_the_period'
            when 'missed' then 'required_snapshot_in_every_slot'
            when 'rejected' then 'required_feed_has_no_rejects'
        end as expectation,
        system || '/' || feed || '/' || instance as subject,
        cast({{ local_time('gap_from', 'periods.timezone') }} as date) as first_day,
        cast({{ local_time('greatest(gap_from, gap_to - interval 1 microsecond)', 'periods.timezone') }} as date) as last_day,
        system || '/' || feed || '/' || instance || case lack
            when 'uncovered' then ' is not covered from ' || {{ said('gap_from') }} || ' to ' || {{ said('gap_to') }}
            when 'missed' then ' was not collected from ' || {{ said('gap_from') }} || ' to ' || {{ said('gap_to') }}
            else case when is_rejected_file then ' has an unreadable file, ' else ' has rejected records in ' end || original_name
        end as detail
    from {{ ref('fct_feed_gaps') }} as gaps
    inner join {{ ref('dim_periods') }} as periods using (period_id)
),

retention_gaps as (
    select
        gaps.period_id,
        'collected_before_the_source_dropped_it' as expectation,
        system || '/' || feed || '/' || instance as subject,
        cast({{ local_time('gap_from', 'periods.timezone') }} as date) as first_day,
        cast({{ local_time('(gap_to - interval 1 microsecond)', 'periods.timezone') }} as date) as last_day,
        gaps.detail
    from {{ ref('fct_retention_gaps') }} as gaps
    inner join {{ ref('dim_periods') }} as periods using (period_id)
),

-- A decision that can't be read may concern any day.
decision_gaps as (
    select
        coverage.period_id,
        'required_feed_has_no_rejects' as expectation,
        system || '/' || feed || '/' || instance as subject,
        cast({{ local_time('periods.start_at', 'periods.timezone') }} as date) as first_day,
        cast({{ local_time('(periods.end_at - interval 1 microsecond)', 'periods.timezone') }} as date) as last_day,
        coverage.detail
    from {{ ref('fct_feed_coverage') }} as coverage
    inner join {{ ref('dim_periods') }} as periods using (period_id)
    where coverage.kind = 'decision' and (coverage.rejected_records > 0 or coverage.rejected_files > 0)
),

by_feed as (
    select * from feed_gaps
    union all
    select * from retention_gaps
    union all
    select * from decision_gaps
),

-- Whatever else failed says nothing about days, so it concerns all of them.
by_expectation as (
    select
        failed.period_id,
        failed.expectation,
        failed.expectation as subject,
        cast({{ local_time('periods.start_at', 'periods.timezone') }} as date) as first_day,
        cast({{ local_time('(periods.end_at - interval 1 microsecond)', 'periods.timezone') }} as date) as last_day,
        array_to_string(list_sort(list_distinct(list(failed.detail)))[1:3], ' | ') as detail
    from {{ ref('fct_expectations') }} as failed
    inner join {{ ref('dim_periods') }} as periods using (period_id)
    left join by_feed on failed.period_id = by_feed.period_id and failed.expectation = by_feed.expectation
    where not failed.passed and by_feed.expectation is null
    group by all
),

every_gap as (
    select distinct * from by_feed
    union all
    select * from by_expectation
),

acceptances as (
    select accepted.*
    from {{ in_force('gap_acceptances') }} as accepted
    inner join {{ ref('dim_periods') }} as periods using (period_id)
    where trim(coalesce(accepted.approved_by, '')) <> ''
        and (accepted.approved_at is null or accepted.approved_at <= periods.as_of)
),

days as (
    select
        every_gap.*,
        unnest(generate_series(cast(first_day as timestamp), cast(last_day as timestamp), interval 1 day)) as day
    from every_gap
),

answered as (
    select
        days.period_id,
        days.expectation,
        days.subject,
        days.first_day,
        days.last_day,
        days.detail,
        days.day,
        list(acceptances.approved_by) filter (acceptances.approved_by is not null) as approvers,
        list(acceptances.decision_evidence) filter (acceptances.approved_by is not null) as evidence
    from days
    left join acceptances
        on days.period_id = acceptances.period_id
        and acceptances.subject in (days.subject, days.expectation)
        and cast(days.day as date) between acceptances.first_day and acceptances.last_day
    group by all
)

select
    period_id,
    expectation,
    subject,
    first_day,
    last_day,
    detail,
    case when bool_and(approvers is not null)
        then array_to_string(list_sort(list_distinct(flatten(list(approvers)))), ', ') end as accepted_by,
    array_to_string(list_sort(list_distinct(flatten(list(evidence) filter (evidence is not null)))), ' ') as acceptances
from answered
group by period_id, expectation, subject, first_day, last_day, detail
