-- Whether each required feed covers the period up to T: no second of a log unwatched, no slot of a snapshot's cadence
-- without a collection, nothing rejected that no later clean delivery of the same window replaces.
with

required as (
    select * from {{ ref('dim_required_feeds') }}
),

-- A feed may be required in several stretches, each with its own cadence; their shortcomings add up.
required_feeds as (
    select period_id, system, feed, instance, kind, max_by(is_sparse, required_from) as sparse
    from required
    group by period_id, system, feed, instance, kind
),

deliveries as (
    select * from {{ ref('int_deliveries') }}
),

lacking as (
    select
        period_id, system, feed, instance,
        sum({{ seconds_between('gap_from', 'gap_to') }}) filter (lack = 'uncovered') as uncovered_seconds,
        min_by(gap_from, gap_from) filter (lack = 'uncovered') as first_gap_from,
        min_by(gap_to, gap_from) filter (lack = 'uncovered') as first_gap_to,
        count(*) filter (lack = 'uncovered') as gaps,
        count(*) filter (lack = 'missed') as missed_slots,
        min(gap_from) filter (lack = 'missed') as first_missed,
        sum(rejected_records) as rejected_records,
        count(*) filter (is_rejected_file) as rejected_files,
        min(original_name) as example
    from {{ feed_gaps() }}
    group by period_id, system, feed, instance
),

counted as (
    select required.period_id, required.system, required.feed, required.instance, count(deliveries.sha256) as evidence_files
    from required_feeds as required
    left join deliveries
        on required.system = deliveries.source_system and required.feed = deliveries.source_feed
        and required.instance = deliveries.source_instance
    group by all
),

-- A decision about a control that does not exist can't concern one that does.
about_no_control as (
    select source_feed, sha256, count(*) as records
    from {{ ref('stg_evidence__rejected_records') }}
    where source_system = 'decisions' and starts_with(reason, 'control_id: expected one of')
    group by source_feed, sha256
),

-- What people decided has to be readable as well: the newest file of each decision feed.
decisions as (
    select
        periods.period_id,
        source_system as system,
        source_feed as feed,
        source_instance as instance,
        'decision' as kind,
        false as sparse,
        1 as evidence_files,
        0.0 as uncovered_seconds,
        0 as missed_slots,
        case when status = 'accepted' then records_rejected - coalesce(about_no_control.records, 0) else 0 end
            as rejected_records,
        case when status = 'accepted' then 0 else 1 end as rejected_files,
        original_name as example
    from (
        select * from deliveries
        where source_system = 'decisions'
        qualify row_number() over (partition by source_feed order by collected_at desc, sha256 desc) = 1
    ) as newest
    left join about_no_control using (source_feed, sha256)
    cross join {{ ref('dim_periods') }} as periods
),

together as (
    select
        period_id, system, feed, instance, required.kind, required.sparse, counted.evidence_files,
        coalesce(lacking.uncovered_seconds, 0) as uncovered_seconds,
        coalesce(lacking.missed_slots, 0) as missed_slots,
        coalesce(lacking.rejected_records, 0) as rejected_records,
        coalesce(lacking.rejected_files, 0) as rejected_files,
        lacking.gaps, lacking.first_gap_from, lacking.first_gap_to, lacking.first_missed, lacking.example
    from required_feeds as required
    inner join counted using (period_id, system, feed, instance)
    left join lacking using (period_id, system, feed, instance)
    union all by name
    select * from decisions
)

select
    period_id, system, feed, instance, kind, sparse, cast(evidence_files as bigint) as evidence_files,
    cast(uncovered_seconds as double) as uncovered_seconds, cast(missed_slots as bigint) as missed_slots,
    cast(rejected_records as bigint) as rejected_records, cast(rejected_files as bigint) as rejected_files,
    system || '/' || feed || '/' || instance || ': ' || concat_ws('; ',
        case when gaps > 0 then cast(gaps as varchar) || ' gaps, the first from ' || {{ said('first_gap_from') }} || ' to '
            || {{ said('first_gap_to') }} end,
        case when missed_slots > 0 then cast(missed_slots as varchar) || ' cadence slots without a collection, the first from '
            || {{ said('first_missed') }} end,
        case when rejected_records > 0 then cast(rejected_records as varchar) || ' rejected records, for instance in ' || example end,
        case when rejected_files > 0 then cast(rejected_files as varchar) || ' unreadable files, for instance ' || example end,
        cast(evidence_files as varchar) || ' files'
    ) as detail
from together
