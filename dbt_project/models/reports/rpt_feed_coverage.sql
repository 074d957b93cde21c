-- Whether each required feed covers the period.
select
    period_id, system, feed, instance, kind, sparse, evidence_files, uncovered_seconds, missed_slots,
    rejected_records, rejected_files, detail
from {{ ref('fct_feed_coverage') }}
