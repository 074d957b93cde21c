-- Every delivery known at as_of.
select
    source_system as system, source_feed as feed, source_instance as instance, original_name, sha256, size_bytes,
    collected_at, collected_at_source, window_start, window_end, declared_record_count, records_parsed,
    records_rejected, first_event_at, last_event_at, snapshot_id, is_filtered as filtered, query, collected_by, status,
    reject_reason
from {{ ref('int_deliveries') }}
