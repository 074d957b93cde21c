-- APR: everything that gave access was approved before, by people other than who asked and who got it. Tested from the
-- target system outward: each grant looks for its ticket, never a ticket for its grant.
with

population as (
    select
        periods.period_id,
        periods.start_at,
        periods.end_at,
        periods.cutoff_at,
        grants.*,
        -- A key that may still prove a rotation is due when it can't any more.
        coalesce(grants.settled_at, grants.not_after) as due_at
    from {{ ref('fct_grants') }} as grants
    inner join {{ ref('dim_periods') }} as periods
        on grants.not_after < periods.end_at and grants.not_after <= periods.cutoff_at
        and (
            grants.not_after >= periods.start_at
            -- Still pending when the period began, and due in it.
            or (grants.settled_at > periods.start_at and grants.settled_at <= periods.end_at)
        )
),

under_policy as (
    select * from {{ with_policy('population', 'APR', 'valid_days', 'not_after') }}
),

under_both_policies as (
    select * from {{ with_policy('under_policy', 'APR', 'approvers', 'not_after', 'integer') }}
),

under_all_policies as (
    select *, case when is_privileged then greatest(approvers, privileged_approvers) else approvers end as approvers_needed
    from {{ with_policy('under_both_policies', 'APR', 'privileged_approvers', 'not_after', 'integer') }}
),

numbered as (
    select *, row_number() over (
        order by period_id, system, instance, grant_type, subject_id, entitlement, not_after
    ) as operation
    from under_all_policies
),

-- By target: the account, or the key itself; and the entitlement where the ticket names one.
requests as (
    select
        numbered.operation,
        request.source_system,
        request.source_instance,
        request.ticket_id,
        bool_and(request.is_history_complete) as is_history_complete,
        min_by(request.link_rule, request.link_rule) as link_rule,
        list_sort(list_distinct(flatten(list(request.evidence)))) as evidence
    from numbered
    inner join {{ ref('fct_ticket_targets') }} as request
        on request.kind = 'access_request'
        and numbered.system = request.system and numbered.instance = request.instance
        and case request.subject_type
            when 'credential' then numbered.credential_id = request.credential_id
            else numbered.account_id = request.account_id
        end
        and (
            request.entitlement is null
            or lower(request.entitlement) in (lower(numbered.entitlement), lower(numbered.entitlement_name))
        )
    group by all
),

-- Somebody other than who asked, who got it, and the one whose account it is. Whose e-mail is hidden may be any of them.
acts as (
    select
        numbered.operation,
        approval.source_system,
        approval.source_instance,
        approval.ticket_id,
        approval.approver,
        approval.approved_at,
        approval.evidence,
        approval.withdrawn_at is null or approval.withdrawn_at > numbered.not_after as stands,
        {{ is_independent('approval', 'numbered') }} as is_independent,
        approval.approved_at >= numbered.not_after - {{ days('valid_days') }}
            and approval.approved_at <= numbered.not_before as counts_whenever,
        approval.approved_at >= coalesce(numbered.not_before, timestamp '0001-02-01') - {{ days('valid_days') }}
            and approval.approved_at <= numbered.not_after as may_count,
        approval.approved_at > numbered.not_after as is_after,
        numbered.approvers_needed
    from numbered
    inner join requests on numbered.operation = requests.operation
    inner join {{ ref('fct_approvals') }} as approval
        on approval.kind = 'access_request' and requests.source_system = approval.source_system
        and requests.source_instance = approval.source_instance and requests.ticket_id = approval.ticket_id
    -- What was approved after T was not approved as far as the period can tell.
    where approval.approved_at <= numbered.cutoff_at
),

tickets as (
    select
        requests.*,
        count(distinct acts.approver) filter (is_independent and counts_whenever and stands) as approvers_before,
        count(distinct coalesce(acts.approver, '?')) filter (coalesce(is_independent, true) and may_count and stands)
            as approvers_possible,
        count(distinct acts.approver) filter (is_independent and may_count and stands) as approvers_known,
        bool_or(not is_independent and may_count and stands) as is_own,
        bool_or(coalesce(is_independent, true) and not may_count and not is_after and stands) as is_stale,
        bool_or(coalesce(is_independent, true) and is_after) as is_after,
        any_value(approvers_needed) as approvers_needed,
        string_agg(distinct approver, ', ' order by approver) filter (is_independent and may_count and stands) as approved_by,
        max(approved_at) filter (is_independent and may_count and stands) as approved_at,
        min(approver) filter (not is_independent and may_count and stands) as own_approver,
        max(approved_at) filter (not may_count and not is_after and stands) as stale_at,
        min(approved_at) filter (coalesce(is_independent, true) and is_after) as approved_after_at,
        coalesce(flatten(list(acts.evidence) filter (acts.evidence is not null)), cast([] as varchar[])) as act_evidence
    from requests
    left join acts using (operation, source_system, source_instance, ticket_id)
    group by all
),

judged_tickets as (
    select
        *,
        case
            when approvers_before >= approvers_needed then 'approved'
            when approvers_known >= approvers_needed then 'state_unobserved'
            when approvers_possible >= approvers_needed then 'approver unknown'
            when not is_history_complete then 'history cut short'
            when approvers_known > 0 then 'too_few_approvers'
            when is_own then 'self_approved'
            when is_stale then 'stale_approval'
            when is_after then 'approved_after_grant'
            else 'not_approved'
        end as ticket_finding
    from tickets
),

-- The ticket that comes nearest to an approval speaks for the grant.
nearest as (
    select *
    from judged_tickets
    qualify row_number() over (
        partition by operation
        order by list_position([
            'approved', 'state_unobserved', 'approver unknown', 'history cut short', 'too_few_approvers', 'self_approved',
            'stale_approval', 'approved_after_grant', 'not_approved'
        ], ticket_finding), ticket_id, source_system, source_instance
    ) = 1
),

-- Whether every ticket system that holds access requests was seen for the whole time in which one could have counted.
windows as (
    select
        numbered.operation,
        feed.system || '/' || feed.feed || '/' || feed.instance as feed,
        bool_or(
            feed.covered_from <= greatest(
                coalesce(numbered.not_before, timestamp '0001-02-01') - {{ days('valid_days') }}, feed.required_from
            )
            and feed.covered_to >= least(numbered.not_after, feed.required_until)
        ) as is_covered
    from numbered
    inner join {{ ref('fct_ticket_windows') }} as feed
        on feed.kind = 'access_request' and numbered.period_id = feed.period_id
        and feed.required_from < numbered.not_after
        and feed.required_until > coalesce(numbered.not_before, timestamp '0001-02-01') - {{ days('valid_days') }}
    group by all
),

sources as (
    select operation, bool_and(coalesce(is_covered, false)) as is_covered,
        min(feed) filter (not coalesce(is_covered, false)) as uncovered_feed
    from windows
    group by operation
),

found as (
    select
        numbered.*,
        nearest.* exclude (operation, evidence, approvers_needed),
        nearest.evidence as ticket_evidence,
        sources.uncovered_feed,
        case
            when ticket_finding = 'approved' then 'approved'
            when settled_at > cutoff_at then 'not due'
            when ticket_finding in ('approver unknown', 'history cut short') then 'ticket_source_gap'
            when ticket_finding = 'state_unobserved' then 'state_unobserved'
            when not_before is null then 'state_unobserved'
            when not coalesce(sources.is_covered, false) then 'ticket_source_gap'
            else coalesce(ticket_finding, 'no_ticket')
        end as finding
    from numbered
    left join nearest on numbered.operation = nearest.operation
    left join sources on numbered.operation = sources.operation
    -- What the earlier period had decided already is not pending here.
    where numbered.not_after >= start_at or ticket_finding is distinct from 'approved'
),

described as (
    select
        * replace (
            evidence || coalesce(ticket_evidence, cast([] as varchar[])) || coalesce(act_evidence, cast([] as varchar[]))
                as evidence
        ),
        '' as cycle,
        grant_type as distinguished_by,
        not_after as opened_at,
        case finding when 'approved' then approved_at when 'approved_after_grant' then approved_after_at end as performed_at,
        'lead_days' as measure_name,
        round({{ seconds_between("case finding when 'approved' then approved_at when 'approved_after_grant' then approved_after_at when 'stale_approval' then stale_at end", 'not_after') }} / 86400, 6)
            as measure_value,
        valid_days as threshold_value,
        'days' as unit,
        case finding
            when 'approved' then 'operated'
            when 'not due' then 'pending'
            when 'ticket_source_gap' then 'indeterminate'
            when 'state_unobserved' then 'indeterminate'
            else 'deviation'
        end as verdict,
        case when finding not in ('approved', 'not due') then finding end as reason,
        case grant_type when 'account' then 'Account created ' when 'credential' then 'Key created ' else entitlement_name || ' granted ' end
            || case
                when granted_at is not null then {{ said('granted_at') }}
                when not_before is not null then 'between ' || {{ said('not_before') }} || ' and ' || {{ said('not_after') }}
                else 'at an unknown time, not after ' || {{ said('not_after') }}
            end
            || coalesce(' by ' || granted_by, '') || '. '
            || case
                when finding = 'approved' then ticket_id || ' was approved ' || {{ said('approved_at') }} || ' by ' || approved_by
                    || ' (link: ' || link_rule || ').'
                when finding = 'not due' then 'An older key may still close until ' || {{ said('settled_at') }}
                    || ', which would make this a rotation.'
                when finding = 'state_unobserved' and ticket_finding = 'state_unobserved' then
                    ticket_id || ' was approved ' || {{ said('approved_at') }} || '; whether before the grant nobody can tell.'
                when finding = 'state_unobserved' then 'Nothing shows that it was not there before; no approval is known.'
                when finding = 'ticket_source_gap' and ticket_finding = 'approver unknown' then
                    ticket_id || ' was approved, but evidence hides who approved it or who asked.'
                when finding = 'ticket_source_gap' and ticket_finding = 'history cut short' then
                    ticket_id || ' has changes that no export shows.'
                when finding = 'ticket_source_gap' then coalesce(uncovered_feed || ' was not collected', 'No ticket feed was required')
                    || ' for all of the ' || {{ said_number('valid_days') }} || ' d before the grant; a ticket could be there unseen.'
                when finding = 'too_few_approvers' then ticket_id || ' was approved by ' || approved_by || ' only; '
                    || cast(approvers_needed as varchar) || ' needed.'
                when finding = 'self_approved' then ticket_id || ' was approved only by ' || own_approver
                    || ', who asked for it, gets it or is a machine.'
                when finding = 'stale_approval' then ticket_id || ' was approved ' || {{ said('stale_at') }} || ', more than '
                    || {{ said_number('valid_days') }} || ' d before.'
                when finding = 'approved_after_grant' then ticket_id || ' was approved ' || {{ said('approved_after_at') }} || ', after the grant.'
                when finding = 'not_approved' then ticket_id || ' was never approved.'
                else 'No ticket asks for it.'
            end as reason_text,
        not_after as began_at
    from found
),

judged as (
    select * from {{ judged_operations('described', 'APR') }}
)

select * from judged
