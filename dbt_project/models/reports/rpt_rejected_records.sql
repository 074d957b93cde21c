-- Every record that could not be used.
select distinct
    rejected.source_system as system, rejected.source_feed as feed, deliveries.source_instance as instance,
    deliveries.original_name, rejected.sha256, cast(rejected.record_number as bigint) as record_number, rejected.reason,
    cast(rejected.byte_offset as bigint) as byte_offset, cast(rejected.byte_length as bigint) as byte_length,
    rejected.text_sha256, rejected.text
from {{ ref('stg_evidence__rejected_records') }} as rejected
inner join {{ ref('int_deliveries') }} as deliveries
    on rejected.sha256 = deliveries.sha256 and rejected.source_system = deliveries.source_system
    and rejected.source_feed = deliveries.source_feed
