-- What happened to tickets: changes of status, decisions of approvers. A change that a ticket's history has recorded
-- stays, whichever export shows it; what only states how the ticket stands now counts from its latest export.
with

exported as (
    select *
    from {{ delivered([
        'stg_jira__ticket_transitions',
        'stg_servicenow__ticket_transitions',
        'stg_generic__ticket_transitions',
    ]) }}
),

-- ServiceNow's records have no history: they say when they were resolved and closed, and the last update tells by when
-- the state was reached.
stated as (
    select
        source_system, source_feed, instance, ticket_id, collected_at, evidence,
        split_part(evidence, ':', 1) as sha256,
        cast(split_part(evidence, ':', 2) as bigint) as record_number,
        unnest([
            {'id': 'resolved', 'changed_at': resolved_at, 'actor_id': resolved_by, 'to_value': 'Resolved'},
            {'id': 'closed', 'changed_at': closed_at, 'actor_id': closed_by, 'to_value': 'Closed'},
            {'id': 'state', 'changed_at': updated_at, 'actor_id': updated_by, 'to_value': status}
        ]) as change
    from {{ ref('int_latest_tickets') }}
    where source_system = 'servicenow'
),

together as (
    select * from exported
    union all by name
    select
        * exclude (change),
        change.id as transition_id,
        change.id as history_id,
        change.changed_at,
        change.actor_id,
        'status' as field,
        change.to_value,
        false as is_history
    from stated
    where change.changed_at is not null and change.to_value is not null
),

-- A decision may name its ticket by the record's id.
shown as (
    select transitions.* replace (coalesce(named.ticket_id, transitions.ticket_id) as ticket_id)
    from together as transitions
    left join {{ ref('int_latest_tickets') }} as named
        on transitions.source_system = named.source_system and transitions.instance = named.instance
        and transitions.ticket_id = named.alias_id
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
