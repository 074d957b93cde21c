-- When the evidence behind each period's operations was first in hand: how many of them rest on something that nobody
-- had collected before the last tenth of the period. One row per period and control, and one for all controls together.
with

-- What people decide is no evidence that a control operated.
deliveries as (
    select source_system, source_feed, source_instance, sha256, collected_at, is_filtered
    from {{ ref('int_deliveries') }}
    where source_system <> 'decisions'
),

-- One content counts from its first delivery.
files as (
    select sha256, min(collected_at) as collected_at,
        min_by(
            {'system': source_system, 'feed': source_feed, 'instance': source_instance},
            (collected_at, source_system, source_feed, source_instance)
        ) as source
    from deliveries
    group by sha256
),

-- An event that overlapping exports repeat was known from the first of them on.
repeated_events as (
    select record, min(first_collected_at) as collected_at
    from (
        select unnest(evidence) as record, first_collected_at
        from {{ ref('int_events') }}
        where sightings > 1
    )
    group by record
),

records as (
    select
        operations.period_id,
        operations.control_id,
        operations.operation_id,
        coalesce(operations.performed_at, operations.due_at, operations.opened_at, periods.start_at) as decided_at,
        periods.start_at + (periods.end_at - periods.start_at) * 0.9 as last_tenth_from,
        unnest(string_split(operations.evidence, ' ')) as record
    from {{ ref('fct_control_operations') }} as operations
    inner join {{ ref('dim_periods') }} as periods using (period_id)
),

collected as (
    select
        records.*,
        files.source,
        feeds.kind,
        coalesce(repeated_events.collected_at, files.collected_at) as collected_at
    from records
    left join files on files.sha256 = split_part(records.record, ':', 1)
    left join repeated_events using (record)
    left join {{ ref('dim_feeds') }} as feeds on feeds.system = files.source.system and feeds.feed = files.source.feed
),

-- Lists repeat themselves and operations name the newest: the first list after the operation was done, or due, said it
-- already.
known_by_record as (
    select
        collected.* exclude (collected_at),
        case when collected.kind = 'log' then collected.collected_at else least(collected.collected_at, lists.collected_at) end
            as collected_at
    from collected
    asof left join (select * from deliveries where not is_filtered) as lists
        on collected.source.system = lists.source_system and collected.source.feed = lists.source_feed
        and collected.source.instance = lists.source_instance and collected.decided_at <= lists.collected_at
),

-- An operation can be judged once the last of its records is there.
known as (
    select period_id, control_id, operation_id, last_tenth_from, max(collected_at) as known_at
    from known_by_record
    group by all
)

select
    period_id,
    control_id,
    last_tenth_from,
    count(*) as operations,
    count(known_at) as evidenced_operations,
    count(*) filter (known_at >= last_tenth_from) as end_loaded_operations,
    round(count(*) filter (known_at >= last_tenth_from) / count(*), 6) as end_loaded_share
from known
group by grouping sets ((period_id, last_tenth_from), (period_id, last_tenth_from, control_id))
