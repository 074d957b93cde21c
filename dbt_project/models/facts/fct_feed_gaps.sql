-- Every single shortcoming of a required feed, with the stretch of time it concerns.
select period_id, system, feed, instance, lack, gap_from, gap_to, rejected_records, is_rejected_file, original_name
from {{ feed_gaps() }}
