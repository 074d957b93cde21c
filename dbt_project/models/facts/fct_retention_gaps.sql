-- What a source had dropped before anybody collected it: stretches of a required feed, up to T, over which the source's
-- own retention ran out between two collections. A window that a file declares proves nothing about them.
with

required as (
    select
        feeds.*,
        -- What the source still keeps at as_of can be collected yet.
        least(required_until, feeds.cutoff_at, periods.as_of - {{ days('source_retention_days') }}) as dropped_until
    from {{ ref('dim_required_feeds') }} as feeds
    inner join {{ ref('dim_periods') }} as periods using (period_id)
    where source_retention_days > 0
),

-- A collection reaches back over the retention, or to its first event where the source kept more than it promised.
reaching as (
    select
        required.period_id,
        required.system,
        required.feed,
        required.instance,
        required.required_from,
        case when required.kind = 'log' and deliveries.first_event_at < deliveries.collected_at
            then least(deliveries.first_event_at, deliveries.collected_at - {{ days('required.source_retention_days') }})
            else deliveries.collected_at - {{ days('required.source_retention_days') }}
        end as covered_from,
        deliveries.collected_at as covered_to
    from required
    inner join {{ ref('int_deliveries') }} as deliveries
        on required.system = deliveries.source_system and required.feed = deliveries.source_feed
        and required.instance = deliveries.source_instance
        and deliveries.status = 'accepted' and not deliveries.is_filtered
),

within as (
    select
        period_id, system, feed, instance, required_from,
        greatest(reaching.covered_from, required_from) as covered_from,
        least(reaching.covered_to, required.dropped_until) as covered_to
    from reaching
    inner join required using (period_id, system, feed, instance, required_from)
    union all
    -- Both ends of what is asked, so that what lies before the first collection and after the last shows too.
    select period_id, system, feed, instance, required_from, required_from, required_from
    from required
    where dropped_until > required_from
    union all
    select period_id, system, feed, instance, required_from, dropped_until, dropped_until
    from required
    where dropped_until > required_from
),

reached as (
    select * from {{ merged_windows('within', ['period_id', 'system', 'feed', 'instance', 'required_from']) }}
),

gaps as (
    select
        *,
        covered_to as gap_from,
        lead(covered_from) over (partition by period_id, system, feed, instance, required_from order by covered_from) as gap_to
    from reached
)

select
    period_id,
    system,
    feed,
    instance,
    required.source_retention_days,
    gaps.gap_from,
    gaps.gap_to,
    system || '/' || feed || '/' || instance || ': what happened from ' || {{ said('gaps.gap_from') }} || ' to '
        || {{ said('gaps.gap_to') }} || ' had left the source, which keeps ' || {{ said_number('required.source_retention_days') }}
        || ' days, before the next collection' as detail
from gaps
inner join required using (period_id, system, feed, instance, required_from)
where gaps.gap_to > gaps.gap_from
