-- Who approved which ticket when, and whether it was withdrawn: one row per ticket, kind and act of approving. In a
-- ticket system with statuses, approving is moving the ticket into an approved status; one with approvals of its own
-- records each approver. A later refusal withdraws what was approved before.
with

tickets as (
    select kind, source_system, source_instance, ticket_id, requester_id, requester_email, beneficiary_email,
        flatten(list(approved_statuses)) as approved_statuses, flatten(list(rejected_statuses)) as rejected_statuses
    from {{ ref('fct_ticket_targets') }}
    group by all
),

acts as (
    select
        tickets.* exclude (approved_statuses, rejected_statuses),
        transitions.transition_id,
        transitions.changed_at,
        transitions.actor_id,
        transitions.actor_email,
        transitions.evidence,
        case
            when transitions.field = 'approval' and lower(trim(transitions.to_value)) = 'approved' then 'approved'
            when transitions.field = 'approval' and lower(trim(transitions.to_value)) = 'rejected' then 'rejected'
            when list_contains(approved_statuses, lower(trim(transitions.to_value))) then 'approved'
            when list_contains(rejected_statuses, lower(trim(transitions.to_value))) then 'rejected'
        end as act
    from tickets
    inner join {{ ref('fct_ticket_transitions') }} as transitions
        on tickets.source_system = transitions.source_system and tickets.source_instance = transitions.instance
        and tickets.ticket_id = transitions.ticket_id
    where transitions.field in ('status', 'approval')
),

-- A native id or a link of it tells who it was; else the e-mail does.
known as (
    select
        acts.*,
        coalesce(by_id.identity_ids, by_email.identity_ids, cast([] as varchar[])) as identity_ids,
        coalesce(by_id.is_human, by_email.is_human, true) as is_human,
        coalesce(requester_by_id.identity_ids, requester_by_email.identity_ids, cast([] as varchar[])) as requester_ids,
        coalesce(beneficiary.identity_ids, cast([] as varchar[])) as beneficiary_ids
    from acts
    left join {{ ref('int_known_names') }} as by_id
        on acts.source_system = by_id.system and lower(acts.actor_id) = by_id.name
    left join {{ ref('int_known_names') }} as by_email on by_email.system is null and acts.actor_email = by_email.name
    left join {{ ref('int_known_names') }} as requester_by_id
        on acts.source_system = requester_by_id.system and lower(acts.requester_id) = requester_by_id.name
    left join {{ ref('int_known_names') }} as requester_by_email
        on requester_by_email.system is null and acts.requester_email = requester_by_email.name
    left join {{ ref('int_known_names') }} as beneficiary
        on beneficiary.system is null and acts.beneficiary_email = beneficiary.name
),

refusals as (
    select kind, source_system, source_instance, ticket_id, changed_at from acts where act = 'rejected'
)

select
    known.kind,
    known.source_system,
    known.source_instance,
    known.ticket_id,
    known.transition_id,
    known.changed_at as approved_at,
    min(refusals.changed_at) as withdrawn_at,
    coalesce(known.identity_ids[1], known.actor_email, known.actor_id) as approver,
    known.actor_email as approver_email,
    known.identity_ids as approver_identity_ids,
    known.is_human,
    -- True and false are known; empty is not: a hidden e-mail may be anybody's.
    case
        when known.actor_id = known.requester_id or known.actor_email = known.requester_email
            or list_has_any(known.identity_ids, known.requester_ids) then true
        when known.actor_id is not null and known.requester_id is not null
            or known.actor_email is not null and known.requester_email is not null
            or len(known.identity_ids) > 0 and len(known.requester_ids) > 0 then false
    end as is_requester,
    case
        when known.beneficiary_email is null then false
        when known.actor_email = known.beneficiary_email or list_has_any(known.identity_ids, known.beneficiary_ids) then true
        when known.actor_email is not null or len(known.identity_ids) > 0 and len(known.beneficiary_ids) > 0 then false
    end as is_beneficiary,
    known.evidence
from known
left join refusals
    on known.kind = refusals.kind and known.source_system = refusals.source_system
    and known.source_instance = refusals.source_instance and known.ticket_id = refusals.ticket_id
    and refusals.changed_at >= known.changed_at
where known.act = 'approved'
group by all
