-- Tickets as their latest export shows them, and whether all of their changes are known: in one export or in several
-- together. Where not all are known, a missing approval is not known to be missing.
with

seen as (
    select source_system, instance, ticket_id, count(distinct history_id) as changes_seen
    from {{ ref('fct_ticket_transitions') }}
    group by all
)

select
    tickets.source_system,
    tickets.source_feed,
    tickets.instance,
    tickets.ticket_id,
    tickets.kind,
    tickets.status,
    tickets.created_at,
    tickets.updated_at,
    tickets.requester_id,
    tickets.requester_email,
    tickets.beneficiary_email,
    tickets.summary,
    tickets.record,
    tickets.collected_at,
    tickets.history_total is not null
    and greatest(tickets.history_returned, coalesce(seen.changes_seen, 0)) >= tickets.history_total as is_history_complete,
    tickets.evidence
from {{ ref('int_latest_tickets') }} as tickets
left join seen
    on tickets.source_system = seen.source_system and tickets.instance = seen.instance
    and tickets.ticket_id = seen.ticket_id
