-- Tickets as their latest export shows them, and whether all of their changes are known: in one export or in several
-- together; where decisions are a feed of their own, once that feed was collected after the ticket's last update. Where
-- not all are known, a missing approval is not known to be missing.
with

seen as (
    select source_system, instance, ticket_id, count(distinct history_id) as changes_seen
    from {{ ref('fct_ticket_transitions') }}
    group by all
),

decisions as (
    select source_system, source_feed, source_instance as instance, max(collected_at) as collected_at
    from {{ ref('int_deliveries') }}
    where status = 'accepted'
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
    case
        when tickets.decisions_feed is not null
            then coalesce(decisions.collected_at >= coalesce(tickets.updated_at, tickets.collected_at), false)
        else coalesce(greatest(tickets.history_returned, coalesce(seen.changes_seen, 0)) >= tickets.history_total, false)
    end as is_history_complete,
    tickets.evidence
from {{ ref('int_latest_tickets') }} as tickets
left join seen
    on tickets.source_system = seen.source_system and tickets.instance = seen.instance
    and tickets.ticket_id = seen.ticket_id
left join decisions
    on tickets.source_system = decisions.source_system and tickets.decisions_feed = decisions.source_feed
    and tickets.instance = decisions.instance
