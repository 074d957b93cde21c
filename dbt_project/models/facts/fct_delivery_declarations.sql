-- What a delivery declares of itself beside what its file holds.
with

declared as (
    select
        source_system as system,
        source_feed as feed,
        source_instance as instance,
        sha256,
        original_name,
        declared_record_count,
        records_parsed + records_rejected as found_record_count,
        lower(declared_sha256) as declared_sha256,
        sha256 as found_sha256,
        case when window_start is not null and window_end is not null and first_event_at is not null then
            greatest(
                {{ seconds_between('first_event_at', 'window_start') }},
                {{ seconds_between('window_end', 'last_event_at') }},
                0
            )
        end as seconds_outside_window,
        case when collected_at_source = 'sidecar' and last_event_at is not null then
            greatest({{ seconds_between('collected_at', 'last_event_at') }}, 0)
        end as seconds_after_collection,
        window_start,
        window_end,
        first_event_at,
        last_event_at,
        collected_at
    from {{ ref('int_deliveries') }}
)

select
    system, feed, instance, sha256, original_name, declared_record_count, found_record_count, declared_sha256,
    found_sha256, seconds_outside_window, seconds_after_collection,
    original_name || ' (' || left(sha256, 12) || '): ' || concat_ws('; ',
        case when declared_record_count <> found_record_count
            then 'declares ' || cast(declared_record_count as varchar) || ' records, holds ' || cast(found_record_count as varchar) end,
        case when declared_sha256 <> found_sha256 then 'declares sha256 ' || declared_sha256 end,
        case when seconds_outside_window > 0
            then 'declares ' || {{ said('window_start') }} || ' to ' || {{ said('window_end') }} || ', holds events from '
                || {{ said('first_event_at') }} || ' to ' || {{ said('last_event_at') }} end,
        case when seconds_after_collection > 0
            then 'collected ' || {{ said('collected_at') }} || ', holds an event of ' || {{ said('last_event_at') }} end,
        cast(found_record_count as varchar) || ' records'
    ) as detail
from declared
