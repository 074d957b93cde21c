-- Tickets as their latest export shows them; a ticket exported again is an update, no conflict.
select *
from {{ delivered(['stg_jira__tickets', 'stg_servicenow__tickets', 'stg_generic__tickets']) }}
qualify row_number() over (
    partition by source_system, instance, ticket_id
    order by updated_at desc nulls last, revision desc nulls last, collected_at desc, sha256 desc, record_number desc
) = 1
