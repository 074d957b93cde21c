{#- What required feeds lack in each period up to T, one row per shortcoming: an `uncovered` stretch of a log, a `missed`
    slot of a snapshot's cadence, a `rejected` file or one with rejected records that no later clean delivery of the same
    window replaces. -#}
{% macro feed_gaps() -%}
(
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

-- What came along in one envelope with this log (`only` in its description) is nothing that it lacks.
of_other_logs as (
    select source_system, source_feed, sha256, count(*) as records
    from {{ ref('stg_evidence__rejected_records') }}
    where contains(reason, 'a record of another log: ')
    group by source_system, source_feed, sha256
),

deliveries as (
    select deliveries.* replace (records_rejected - coalesce(of_other_logs.records, 0) as records_rejected)
    from {{ ref('int_deliveries') }} as deliveries
    left join of_other_logs using (source_system, source_feed, sha256)
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
    select slots.period_id, slots.system, slots.feed, slots.instance, slot_start, slot_end
    from slots
    where slot_end <= needed_until and slot_start >= required_from and not exists (
        select 1 from deliveries
        where deliveries.source_system = slots.system and deliveries.source_feed = slots.feed
            and deliveries.source_instance = slots.instance and deliveries.status = 'accepted' and not deliveries.is_filtered
            and deliveries.collected_at >= slots.slot_start and deliveries.collected_at < slots.slot_end
    )
),

-- Files that say something about the period: a log by its window, anything else by when it was collected.
rejects as (
    select
        required.period_id,
        required.system,
        required.feed,
        required.instance,
        case when required.kind = 'log' then coalesce(delivery.window_start, delivery.first_event_at) end as window_from,
        case when required.kind = 'log' then coalesce(delivery.window_end, delivery.last_event_at) end as window_to,
        delivery.collected_at,
        delivery.status,
        delivery.records_rejected,
        delivery.original_name,
        required.period_start_at,
        required.period_end_at
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
        and (delivery.status = 'rejected' or delivery.records_rejected > 0)
)

select
    period_id, system, feed, instance, 'uncovered' as lack, gap_from, gap_to,
    cast(null as bigint) as rejected_records, cast(null as boolean) as is_rejected_file, cast(null as varchar) as original_name
from gaps
where gap_to > gap_from + interval 1 second
union all
select period_id, system, feed, instance, 'missed', slot_start, slot_end, null, null, null
from missed
union all
select
    period_id,
    system,
    feed,
    instance,
    'rejected',
    -- What a file covers outside the period is no gap of the period.
    least(greatest(coalesce(window_from, collected_at), period_start_at), period_end_at),
    greatest(least(coalesce(window_to, collected_at), period_end_at), period_start_at),
    case when status = 'accepted' then records_rejected else 0 end,
    status = 'rejected',
    original_name
from rejects
)
{%- endmacro %}
