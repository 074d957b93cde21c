-- CHG: a change to a protected branch or to a pipeline secret was approved before it by somebody other than its author.
with

people as (
    select system, name, identity_ids, is_human from {{ ref('int_known_names') }}
),

-- -- merged pull requests -------------------------------------------------------------------------------------------------

merged as (
    select
        periods.period_id,
        periods.start_at,
        periods.cutoff_at,
        changes.*,
        lower(changes.author_id) as author,
        coalesce(author.identity_ids, cast([] as varchar[])) as author_ids
    from {{ ref('fct_changes') }} as changes
    inner join {{ ref('dim_periods') }} as periods
        on changes.merged_at >= periods.start_at and changes.merged_at < periods.end_at
        and changes.merged_at <= periods.cutoff_at
    left join people as author on changes.system = author.system and lower(changes.author_id) = author.name
    where changes.is_protected is distinct from false
),

reviews as (
    select
        period_id,
        system,
        instance,
        change_id,
        merged_at,
        cutoff_at,
        author,
        author_ids,
        unnest(reviews) as review
    from merged
),

judged_reviews as (
    select
        reviews.* exclude (review),
        lower(review.reviewer_id) as reviewer,
        review.state as state,
        review.submitted_at as submitted_at,
        case
            when lower(review.reviewer_id) = reviews.author or list_has_any(coalesce(reviewer.identity_ids, []), author_ids)
                or lower(review.reviewer_id) like '%[bot]' or not coalesce(reviewer.is_human, true) then false
            when review.reviewer_id is null or reviews.author is null then null
            else true
        end as is_independent,
        -- What the same reviewer said last before the merge is what counts.
        lead(review.state) over last_word as next_state,
        lead(review.submitted_at) over last_word as next_at
    from reviews
    left join people as reviewer on reviews.system = reviewer.system and lower(review.reviewer_id) = reviewer.name
    where review.state in ('APPROVED', 'CHANGES_REQUESTED', 'DISMISSED')
    window last_word as (
        partition by period_id, reviews.system, instance, change_id, lower(review.reviewer_id) order by review.submitted_at, review.state
    )
),

reviewed as (
    select
        period_id,
        system,
        instance,
        change_id,
        max(submitted_at) filter (stands and is_independent) as approved_at,
        string_agg(distinct reviewer, ', ' order by reviewer) filter (stands and is_independent) as approved_by,
        coalesce(bool_or(stands and is_independent is null), false) as is_approver_hidden,
        coalesce(bool_or(state = 'DISMISSED' and submitted_at <= merged_at and coalesce(is_independent, true)), false)
            as is_dismissed,
        coalesce(bool_or(stands and not is_independent), false) as is_own,
        min(reviewer) filter (stands and not is_independent) as own_approver,
        min(submitted_at) filter (state = 'APPROVED' and is_independent and submitted_at > merged_at and submitted_at <= cutoff_at)
            as approved_after_at
    from (
        select *, state = 'APPROVED' and submitted_at <= merged_at
            and coalesce(next_state = 'APPROVED' or next_at > merged_at, true) as stands
        from judged_reviews
    )
    group by all
),

code_changes as (
    select
        merged.period_id,
        merged.cutoff_at,
        'change' as subject_type,
        merged.change_id as subject_id,
        coalesce(merged.change_id || ' ' || merged.title, merged.change_id) as subject_name,
        merged.system,
        merged.instance,
        merged.author_ids[1] as identity_id,
        '' as distinguished_by,
        merged.merged_at as happened_at,
        'Merged into ' || merged.base_branch || ' ' || {{ said('merged.merged_at') }}
            || coalesce(', written by ' || merged.author_id, '') || '. ' as said_first,
        reviewed.approved_at,
        reviewed.approved_by,
        reviewed.own_approver,
        reviewed.approved_after_at,
        case
            when reviewed.approved_at is not null then 'approved'
            when merged.reviews is null then 'No export shows reviews of it.'
            when merged.reviews_collected_at < merged.merged_at then 'Its reviews were last collected '
                || {{ said('merged.reviews_collected_at') }} || ', before the merge.'
            when reviewed.is_approver_hidden then 'It was approved, but evidence hides who wrote or who approved it.'
            when reviewed.is_dismissed then 'An approval was dismissed, and no export says when.'
            when merged.is_protected is null then 'Nothing says whether the branch was protected.'
            when reviewed.is_own then 'self_approved'
            when reviewed.approved_after_at is not null then 'approved_after'
            else 'no_approval'
        end as finding,
        merged.evidence
    from merged
    left join reviewed using (period_id, system, instance, change_id)
),

-- -- pipeline secrets -----------------------------------------------------------------------------------------------------

secret_changes as (
    select
        periods.period_id,
        periods.cutoff_at,
        events.event_id,
        events.system,
        events.instance,
        events.credential_id,
        events.action,
        events.occurred_at,
        events.actor_id,
        coalesce(actor.identity_ids, cast([] as varchar[])) as actor_ids,
        events.evidence
    from {{ ref('int_events') }} as events
    inner join {{ ref('dim_periods') }} as periods
        on events.occurred_at >= periods.start_at and events.occurred_at < periods.end_at
        and events.occurred_at <= periods.cutoff_at
    left join people as actor on events.system = actor.system and lower(events.actor_id) = actor.name
    where events.action in ('pipeline_secret_created', 'pipeline_secret_updated', 'pipeline_secret_deleted')
        and events.credential_id is not null
),

-- A ticket for the secret holds for thirty days, as one for an access does.
change_tickets as (
    select distinct
        secret_changes.period_id,
        secret_changes.system,
        secret_changes.instance,
        secret_changes.event_id,
        ticket.source_system,
        ticket.source_instance,
        ticket.ticket_id,
        ticket.is_history_complete,
        ticket.evidence as ticket_evidence
    from secret_changes
    inner join {{ ref('fct_ticket_targets') }} as ticket
        on ticket.kind = 'change' and lower(ticket.target) = lower(secret_changes.credential_id)
        and (ticket.target_system is null or ticket.target_system = secret_changes.system)
),

acts as (
    select
        secret_changes.period_id,
        secret_changes.system,
        secret_changes.instance,
        secret_changes.event_id,
        approval.ticket_id,
        approval.approver,
        approval.approved_at,
        approval.evidence,
        secret_changes.occurred_at,
        approval.withdrawn_at is null or approval.withdrawn_at > secret_changes.occurred_at as stands,
        case
            when approval.is_requester or not approval.is_human
                or list_has_any(approval.approver_identity_ids, secret_changes.actor_ids)
                or approval.approver_email = lower(secret_changes.actor_id) then false
            when approval.is_requester is null or approval.approver is null
                or len(secret_changes.actor_ids) = 0 or len(approval.approver_identity_ids) = 0 then null
            else true
        end as is_independent
    from change_tickets
    inner join secret_changes using (period_id, system, instance, event_id)
    inner join {{ ref('fct_approvals') }} as approval
        on approval.kind = 'change' and change_tickets.source_system = approval.source_system
        and change_tickets.source_instance = approval.source_instance and change_tickets.ticket_id = approval.ticket_id
    where approval.approved_at <= secret_changes.cutoff_at
        and approval.approved_at >= secret_changes.occurred_at - interval 30 day
),

approvals as (
    select
        period_id,
        system,
        instance,
        event_id,
        max(approved_at) filter (is_before and is_independent) as approved_at,
        string_agg(distinct approver || ' in ' || ticket_id, ', ' order by approver || ' in ' || ticket_id)
            filter (is_before and is_independent) as approved_by,
        coalesce(bool_or(is_before and is_independent is null), false) as is_approver_hidden,
        min(approver) filter (is_before and not is_independent) as own_approver,
        min(approved_at) filter (approved_at > occurred_at and coalesce(is_independent, true)) as approved_after_at,
        flatten(list(evidence)) as evidence
    from (select *, approved_at <= occurred_at and stands as is_before from acts)
    group by all
),

ticket_feeds as (
    select
        secret_changes.period_id,
        secret_changes.system,
        secret_changes.instance,
        secret_changes.event_id,
        feed.system || '/' || feed.feed || '/' || feed.instance as feed,
        coalesce(bool_or(
            feed.covered_from <= greatest(secret_changes.occurred_at - interval 30 day, feed.required_from)
            and feed.covered_to >= least(secret_changes.occurred_at, feed.required_until)
        ), false) as is_covered
    from secret_changes
    inner join {{ ref('fct_ticket_windows') }} as feed
        on feed.kind = 'change' and secret_changes.period_id = feed.period_id
        and feed.required_from < secret_changes.occurred_at
        and feed.required_until > secret_changes.occurred_at - interval 30 day
    group by all
),

sources as (
    select period_id, system, instance, event_id, bool_and(is_covered) as is_covered,
        min(feed) filter (not is_covered) as uncovered_feed
    from ticket_feeds
    group by all
),

tickets as (
    select period_id, system, instance, event_id, bool_and(is_history_complete) as is_history_complete,
        flatten(list(ticket_evidence)) as ticket_evidence
    from change_tickets
    group by all
),

secret_operations as (
    select
        secret_changes.period_id,
        secret_changes.cutoff_at,
        'credential' as subject_type,
        secret_changes.credential_id as subject_id,
        secret_changes.credential_id as subject_name,
        secret_changes.system,
        secret_changes.instance,
        secret_changes.actor_ids[1] as identity_id,
        secret_changes.event_id as distinguished_by,
        secret_changes.occurred_at as happened_at,
        'Secret ' || replace(secret_changes.action, 'pipeline_secret_', '') || ' ' || {{ said('secret_changes.occurred_at') }}
            || coalesce(' by ' || secret_changes.actor_id, '') || '. ' as said_first,
        approvals.approved_at,
        approvals.approved_by,
        approvals.own_approver,
        approvals.approved_after_at,
        case
            when approvals.approved_at is not null then 'approved'
            when approvals.is_approver_hidden then 'It was approved, but evidence hides whether by somebody else.'
            when not tickets.is_history_complete then 'Its ticket has changes that no export shows.'
            when not coalesce(sources.is_covered, false) then coalesce(sources.uncovered_feed || ' was not collected', 'No ticket feed was required')
                || ' for all of the 30 d before; a ticket could be there unseen.'
            when approvals.own_approver is not null then 'self_approved'
            when approvals.approved_after_at is not null then 'approved_after'
            else 'no_approval'
        end as finding,
        secret_changes.evidence || coalesce(tickets.ticket_evidence, cast([] as varchar[]))
            || coalesce(approvals.evidence, cast([] as varchar[])) as evidence
    from secret_changes
    left join approvals using (period_id, system, instance, event_id)
    left join tickets using (period_id, system, instance, event_id)
    left join sources using (period_id, system, instance, event_id)
),

-- -- both -----------------------------------------------------------------------------------------------------------------

operations as (
    select * from code_changes
    union all by name
    select * from secret_operations
),

described as (
    select
        *,
        '' as entitlement,
        '' as cycle,
        happened_at as opened_at,
        happened_at as due_at,
        case finding when 'approved' then approved_at when 'approved_after' then approved_after_at end as performed_at,
        'lead_hours' as measure_name,
        round({{ seconds_between("case finding when 'approved' then approved_at when 'approved_after' then approved_after_at end", 'happened_at') }} / 3600, 6)
            as measure_value,
        cast(null as double) as threshold_value,
        'hours' as unit,
        case
            when finding = 'approved' then 'operated'
            when finding in ('self_approved', 'approved_after', 'no_approval') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case
            when finding = 'approved' then null
            when finding in ('self_approved', 'approved_after', 'no_approval') then finding
            else 'review_source_gap'
        end as reason,
        said_first || case finding
            when 'approved' then 'Approved ' || {{ said('approved_at') }} || ' by ' || approved_by || '.'
            when 'self_approved' then 'Approved before only by ' || own_approver || ', who made it, asked for it or is a machine.'
            when 'approved_after' then 'Approved only afterwards, ' || {{ said('approved_after_at') }} || '.'
            when 'no_approval' then 'Nobody approved it.'
            else finding
        end as reason_text,
        happened_at as began_at
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'CHG') }}
)

select * from judged
