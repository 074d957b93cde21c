-- Compromise incidents: one row per ticket and account or credential it names, with its four clocks. Who wrote no time of
-- detection had detected it when the ticket was opened.
with

declared as (
    select
        incidents.source_system,
        incidents.source_instance,
        incidents.ticket_id,
        min(transitions.changed_at) as contained_at,
        flatten(list(transitions.evidence)) as evidence
    from (
        select distinct source_system, source_instance, ticket_id, unnest(contained_statuses) as contained_status
        from {{ ref('fct_ticket_targets') }}
        where kind = 'incident'
    ) as incidents
    inner join {{ ref('fct_ticket_transitions') }} as transitions
        on incidents.source_system = transitions.source_system and incidents.source_instance = transitions.instance
        and incidents.ticket_id = transitions.ticket_id and transitions.field = 'status'
        and lower(trim(transitions.to_value)) = incidents.contained_status
    group by all
),

named as (
    select
        source_system,
        source_instance,
        ticket_id,
        -- A ticket may call one thing by several names.
        case when subject_type is null then target end as unknown_target,
        case when subject_type is null then target_system end as unknown_system,
        system,
        instance,
        subject_type,
        account_id,
        case when subject_type = 'credential' then credential_id end as credential_id,
        min(target) as target,
        min(link_rule) as link_rule,
        min(created_at) as created_at,
        min(detected_at) as detected_at,
        min(escalated_at) as escalated_at,
        min(contained_at) as contained_at,
        min(recovered_at) as recovered_at,
        -- A status that says it is over, as far as a rule or our own CSV tells.
        bool_or(list_contains(contained_statuses, lower(status)) or lower(status) in ('closed', 'contained', 'resolved', 'done'))
            as is_over,
        list_sort(list_distinct(flatten(list(evidence)))) as evidence
    from {{ ref('fct_ticket_targets') }}
    where kind = 'incident'
    group by all
)

select
    named.source_system,
    named.source_instance,
    named.ticket_id,
    named.target,
    coalesce(named.system, named.unknown_system) as system,
    named.instance,
    named.subject_type,
    case named.subject_type when 'credential' then named.credential_id when 'account' then named.account_id end as subject_id,
    named.account_id,
    named.credential_id,
    named.link_rule,
    coalesce(named.detected_at, named.created_at) as detected_at,
    named.detected_at is not null as is_detection_stated,
    named.escalated_at,
    coalesce(named.contained_at, declared.contained_at) as declared_contained_at,
    named.recovered_at,
    named.is_over,
    list_sort(list_distinct(named.evidence || coalesce(declared.evidence, []))) as evidence
from named
left join declared
    on named.source_system = declared.source_system and named.source_instance = declared.source_instance
    and named.ticket_id = declared.ticket_id
