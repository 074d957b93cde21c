-- Access that was taken away and given back, with the last approved request for it: one row per time it came back.
with

in_turn as (
    select
        *,
        max(closed_at) over turns as removed_at,
        last_value(closed_evidence) over turns as removed_evidence
    from {{ ref('fct_access_spells') }}
    window turns as (
        partition by system, instance, account_id, entitlement order by opened_by, closed_at
        rows between unbounded preceding and 1 preceding
    )
),

given_back as (
    select
        in_turn.*,
        accounts.identity_id,
        accounts.identity_type,
        accounts.email,
        accounts.user_name
    from in_turn
    left join {{ ref('dim_accounts') }} as accounts using (system, instance, account_id)
    where removed_at is not null and opened_by >= removed_at
),

approvals as (
    select
        given_back.system,
        given_back.instance,
        given_back.account_id,
        given_back.entitlement,
        given_back.opened_by,
        max(approval.approved_at) filter (is_somebody_else) as approved_at,
        max(approval.approved_at) filter (is_somebody_else is null) as perhaps_approved_at,
        max_by(approval.ticket_id, approval.approved_at) filter (is_somebody_else) as ticket_id,
        max_by(approval.evidence, approval.approved_at) filter (is_somebody_else) as approval_evidence
    from given_back
    inner join {{ ref('fct_ticket_targets') }} as request
        on request.kind = 'access_request' and request.subject_type = 'account'
        and given_back.system = request.system and given_back.instance = request.instance
        and given_back.account_id = request.account_id
        and (
            request.entitlement is null
            or lower(request.entitlement) in (lower(given_back.entitlement), lower(given_back.entitlement_name))
        )
    inner join {{ ref('fct_approvals') }} as approval
        on approval.kind = 'access_request' and request.source_system = approval.source_system
        and request.source_instance = approval.source_instance and request.ticket_id = approval.ticket_id
    cross join lateral (select {{ is_independent('approval', 'given_back') }} as is_somebody_else)
    where approval.approved_at <= given_back.opened_by
        and (approval.withdrawn_at is null or approval.withdrawn_at > given_back.opened_by)
    group by all
)

select
    given_back.system,
    given_back.instance,
    given_back.account_id,
    given_back.identity_id,
    given_back.entitlement,
    given_back.entitlement_name,
    given_back.removed_at,
    given_back.opened_by as given_back_at,
    {{ seconds_between('given_back.removed_at', 'given_back.opened_by') }} / 86400 as days_away,
    approvals.approved_at,
    approvals.perhaps_approved_at,
    approvals.ticket_id,
    list_sort(list_distinct(
        coalesce(given_back.removed_evidence, []) || coalesce(given_back.opened_evidence, [])
            || coalesce(approvals.approval_evidence, [])
    )) as evidence
from given_back
left join approvals using (system, instance, account_id, entitlement, opened_by)
