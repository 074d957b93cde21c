-- When each log was watched: the declared windows of its files, else first to last event, merged.
with

windows as (
    select source_system as system, source_feed as feed, source_instance as instance, covered_from, covered_to
    from {{ ref('int_deliveries') }} as deliveries
    inner join {{ ref('dim_feeds') }} as feeds
        on deliveries.source_system = feeds.system and deliveries.source_feed = feeds.feed
    where feeds.kind = 'log' and covered_from is not null and covered_to is not null
)

select * from {{ merged_windows('windows', ['system', 'feed', 'instance']) }}
