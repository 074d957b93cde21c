-- One row per record that could not be used, with the reason ingest gave.
select
    system as source_system,
    feed as source_feed,
    sha256,
    record_number,
    reason,
    byte_offset,
    byte_length,
    text_sha256,
    text
from {{ rejected_records() }}
