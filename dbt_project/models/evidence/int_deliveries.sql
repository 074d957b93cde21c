-- The deliveries known at as_of: one row per bytes, place and collection time. What only the file's own mtime dates
-- counts once, at the earliest, and not at all where the same bytes in the same place are dated by a sidecar or by
-- their name. Nothing here depends on the order in which files were taken in.
with

latest_word_on_each_delivery as (
    select
        * exclude (original_name),
        -- One content may land under several names; which came first says nothing.
        min(original_name) over (
            partition by sha256, source_system, source_feed, source_instance, collected_at
        ) as original_name
    from {{ ref('stg_evidence__ledger') }}
    qualify row_number() over (
        partition by sha256, source_system, source_feed, source_instance, collected_at
        order by sidecar_sha256 desc nulls last, entry desc
    ) = 1
),

compared as (
    select
        *,
        bool_or(collected_at_source <> 'mtime') over same_place as is_dated_better_elsewhere,
        row_number() over (
            partition by sha256, source_system, source_feed, source_instance, collected_at_source = 'mtime'
            order by collected_at, sidecar_sha256 desc nulls last, entry desc
        ) as order_among_mtimes
    from latest_word_on_each_delivery
    window
        same_place as (partition by sha256, source_system, source_feed, source_instance)
),

counted as (
    select *
    from compared
    where collected_at_source <> 'mtime' or (not is_dated_better_elsewhere and order_among_mtimes = 1)
)

select
    * exclude (is_dated_better_elsewhere, order_among_mtimes, entry),
    -- What a log file proves to have been watched: its declared window, else first to last event. No window reaches
    -- past the collection that its sidecar declares.
    case when not is_filtered and status = 'accepted' then
        case when window_start is not null and window_end is not null then window_start else first_event_at end
    end as covered_from,
    case when not is_filtered and status = 'accepted' then
        case
            when window_start is null or window_end is null then last_event_at
            when collected_at_source = 'sidecar' then least(window_end, collected_at)
            else window_end
        end
    end as covered_to
from counted
where collected_at <= {{ as_of() }}
