-- Snapshots as a whole: the files that share a snapshot_id, or one file. Absence proves something only in a
-- complete one: every record readable, nothing filtered, the last page there, no fewer records than declared.
with

files as (
    select
        deliveries.*,
        coalesce(snapshot_id, sha256 || '@' || cast(collected_at as varchar)) as snapshot_key
    from {{ ref('int_deliveries') }} as deliveries
    inner join {{ ref('dim_feeds') }} as feeds
        on deliveries.source_system = feeds.system and deliveries.source_feed = feeds.feed
    where feeds.kind = 'snapshot'
)

select
    source_system,
    source_feed,
    source_instance,
    snapshot_key,
    max(collected_at) as collected_at,
    bool_and(
        status = 'accepted' and not is_filtered and records_rejected = 0
        and coalesce(declared_record_count = records_parsed, true)
        and coalesce(lower(declared_sha256) = sha256, true)
    )
        -- Each page but the last says that more follow; some tools never say so. A page may be delivered twice.
        and count(distinct sha256) filter (has_continuation) in (0, count(distinct sha256) - 1) as is_complete
from files
group by source_system, source_feed, source_instance, snapshot_key
