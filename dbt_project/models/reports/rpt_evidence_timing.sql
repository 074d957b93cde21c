-- How much of each period's evidence was first collected in its last tenth or later.
select period_id, control_id, last_tenth_from, operations, evidenced_operations, end_loaded_operations, end_loaded_share
from {{ ref('fct_evidence_timing') }}
