-- What happened to tickets: changes of status, decisions of approvers. A change that a ticket's history has recorded
-- stays, whichever export shows it; what only states how the ticket stands now counts from its latest export.
with

shown as (
    select transitions.*
    from {{ delivered(['stg_jira__ticket_transitions', 'stg_generic__ticket_transitions']) }} as transitions
    left join {{ ref('int_latest_tickets') }} as latest
        on transitions.source_system = latest.source_system and transitions.instance = latest.instance
        and transitions.ticket_id = latest.ticket_id and transitions.evidence = latest.evidence
    where transitions.is_history or latest.ticket_id is not null
)

select
    source_system,
    source_feed,
    instance,
    ticket_id,
    transition_id,
    history_id,
    changed_at,
    actor_id,
    actor_email,
    field,
    from_value,
    to_value,
    list_sort(list_distinct(list(evidence) over same_transition)) as evidence
from shown
window same_transition as (partition by source_system, instance, ticket_id, transition_id)
qualify row_number() over (
    partition by source_system, instance, ticket_id, transition_id
    order by collected_at desc, sha256 desc, record_number desc
) = 1
