-- Whether each required feed covers the period up to T: no second of a log unwatched, no slot of a snapshot's cadence
-- without a collection, nothing rejected that no later clean delivery of the same window replaces.
with

-- A feed may be required in several stretches, each with its own cadence; their shortcomings add up.
required as (
    select *, least(required_until, cutoff_at) as needed_until, cadence_days * 24 as slot_hours
    from {{ ref('dim_required_feeds') }}
),

required_feeds as (
    select period_id, system, feed, instance, kind, period_start_at, period_end_at,
        max_by(is_sparse, required_from) as sparse, max_by(cadence_days, required_from) as cadence_days
    from required
    group by period_id, system, feed, instance, kind, period_start_at, period_end_at
),

deliveries as (
    select * from {{ ref('int_deliveries') }}
),

watched as (
    select
        required.period_id,
        required.system,
        required.feed,
        required.instance,
        required.required_from,
        greatest(windows.covered_from, required_from) as watched_from,
        least(windows.covered_to, needed_until) as watched_to
    from required
    inner join {{ ref('fct_feed_windows') }} as windows
        on required.system = windows.system and required.feed = windows.feed and required.instance = windows.instance
        and windows.covered_from < needed_until and windows.covered_to > required_from
),

gaps as (
    select
        required.period_id,
        required.system,
        required.feed,
        required.instance,
        coalesce(lag(watched.watched_to) over timeline, required_from) as gap_from,
        coalesce(watched.watched_from, needed_until) as gap_to
    from required
    left join watched using (period_id, system, feed, instance, required_from)
    where required.kind = 'log'
    window timeline as (
        partition by required.period_id, required.system, required.feed, required.instance, required_from
        order by watched.watched_from
    )
    union all
    select
        required.period_id, required.system, required.feed, required.instance,
        max(watched.watched_to), required.needed_until
    from required
    inner join watched using (period_id, system, feed, instance, required_from)
    where required.kind = 'log'
    group by required.period_id, required.system, required.feed, required.instance, required_from, required.needed_until
),

unwatched as (
    select
        period_id, system, feed, instance,
        sum({{ seconds_between('gap_from', 'gap_to') }}) as uncovered_seconds,
        min_by(gap_from, gap_from) as first_gap_from,
        min_by(gap_to, gap_from) as first_gap_to,
        count(*) as gaps
    from gaps
    where gap_to > gap_from + interval 1 second
    group by period_id, system, feed, instance
),

slots as (
    select
        required.*,
        {{ slot_start('slot_number') }} as slot_start,
        {{ slot_start('slot_number + 1') }} as slot_end
    from (
        select *, unnest(generate_series(
            0, cast(floor({{ seconds_between('period_start_at', 'period_end_at') }} / (slot_hours * 3600)) + 1 as bigint)
        )) as slot_number
        from required
        where kind <> 'log' and cadence_days > 0
    ) as required
),

missed as (
    select slots.period_id, slots.system, slots.feed, slots.instance, count(*) as missed_slots, min(slot_start) as first_missed
    from slots
    where slot_end <= needed_until and slot_start >= required_from and not exists (
        select 1 from deliveries
        where deliveries.source_system = slots.system and deliveries.source_feed = slots.feed
            and deliveries.source_instance = slots.instance and deliveries.status = 'accepted' and not deliveries.is_filtered
            and deliveries.collected_at >= slots.slot_start and deliveries.collected_at < slots.slot_end
    )
    group by slots.period_id, slots.system, slots.feed, slots.instance
),

-- Files that say something about the period: a log by its window, anything else by when it was collected.
rejects as (
    select
        required.period_id,
        required.system,
        required.feed,
        required.instance,
        sum(case when delivery.status = 'accepted' then delivery.records_rejected else 0 end) as rejected_records,
        count(*) filter (delivery.status = 'rejected') as rejected_files,
        min(delivery.original_name) filter (delivery.status = 'rejected' or delivery.records_rejected > 0) as example
    from required_feeds as required
    inner join deliveries as delivery
        on required.system = delivery.source_system and required.feed = delivery.source_feed
        and required.instance = delivery.source_instance
        and greatest(delivery.collected_at, coalesce(delivery.window_end, delivery.collected_at)) >= required.period_start_at
        and coalesce(delivery.window_start, delivery.first_event_at, delivery.collected_at) < required.period_end_at
    where not exists (
        -- Exported again and clean: the same window, or for an inventory the same collection slot.
        select 1 from deliveries as clean
        where clean.source_system = delivery.source_system and clean.source_feed = delivery.source_feed
            and clean.source_instance = delivery.source_instance and clean.status = 'accepted'
            and clean.records_rejected = 0 and not clean.is_filtered
            and case
                when required.kind = 'log' then clean.window_start <= coalesce(delivery.window_start, delivery.first_event_at)
                    and clean.window_end >= coalesce(delivery.window_end, delivery.last_event_at)
                else clean.collected_at >= delivery.collected_at
                    and clean.collected_at < delivery.collected_at + {{ days('required.cadence_days') }}
            end
    )
    group by required.period_id, required.system, required.feed, required.instance
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
        coalesce(unwatched.uncovered_seconds, 0) as uncovered_seconds,
        coalesce(missed.missed_slots, 0) as missed_slots,
        coalesce(rejects.rejected_records, 0) as rejected_records,
        coalesce(rejects.rejected_files, 0) as rejected_files,
        unwatched.gaps, unwatched.first_gap_from, unwatched.first_gap_to, missed.first_missed, rejects.example
    from required_feeds as required
    inner join counted using (period_id, system, feed, instance)
    left join unwatched using (period_id, system, feed, instance)
    left join missed using (period_id, system, feed, instance)
    left join rejects using (period_id, system, feed, instance)
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
