-- RVF: what a reviewer revoked is gone within the SLA, and does not come back unasked.
with

accounts as (
    select system, instance, account_id, account_name, user_name, email, account_type, identity_id, identity_type, is_human,
        tags, evidence as account_evidence
    from {{ ref('dim_accounts') }}
),

-- A decision dated without a time counts from the end of its day.
decisions as (
    select
        periods.period_id,
        periods.start_at,
        periods.end_at,
        periods.cutoff_at,
        periods.as_of,
        decisions.source_instance,
        decisions.campaign_id,
        decisions.launched_at,
        decisions.system,
        decisions.account_instance as instance,
        decisions.account_id,
        decisions.account_id as subject_id,
        decisions.entitlement,
        decisions.reviewer_email,
        decisions.reviewer_identity_id,
        decisions.is_by_machine,
        decisions.is_about_own_account,
        decisions.decision,
        decisions.decided_on is not null as is_whole_day,
        coalesce({{ local_midnight('decisions.decided_on + 1', 'periods.timezone') }}, decisions.decided_at) as decided_at,
        decisions.evidence,
        accounts.account_name,
        accounts.user_name,
        accounts.email,
        accounts.account_type,
        cast(null as varchar) as credential_type,
        accounts.identity_id,
        accounts.identity_type,
        accounts.is_human,
        accounts.tags,
        accounts.account_evidence
    from {{ ref('fct_review_decisions') }} as decisions
    cross join {{ ref('dim_periods') }} as periods
    left join accounts
        on decisions.system = accounts.system and decisions.account_instance = accounts.instance
        and decisions.account_id = accounts.account_id
    where decisions.decision in ('approve', 'revoke')
),

owners as (
    select
        periods.period_id,
        owners.identity_id,
        owners.owner_email,
        {{ local_midnight('owners.first_day', 'periods.timezone') }} as owns_from,
        {{ local_midnight('owners.last_day + 1', 'periods.timezone') }} as owns_until
    from {{ in_force('owners') }} as owners
    cross join {{ ref('dim_periods') }} as periods
),

-- As in an access review, a decision is valid when a person made it who neither uses nor alone owns the account.
under_review_policy as (
    select * from {{ with_policy('decisions', 'REV', 'exclude_sole_owner', 'decided_at', 'boolean') }}
),

valid_decisions as (
    select decision.*
    from under_review_policy as decision
    left join {{ ref('int_known_names') }} as reviewer
        on reviewer.system is null and decision.reviewer_email = reviewer.name
    where decision.reviewer_email is not null and coalesce(reviewer.is_human, true) and decision.is_by_machine is not true
        and not coalesce(list_contains(reviewer.identity_ids, decision.identity_id), false)
        and not coalesce(decision.reviewer_identity_id = decision.identity_id, false)
        and decision.is_about_own_account is not true
        and coalesce(decision.reviewer_email not in (lower(decision.email), lower(decision.user_name)), true)
        and not coalesce(decision.exclude_sole_owner and not decision.is_human and (
            select count(distinct owners.owner_email) = 1 and bool_and(owners.owner_email = decision.reviewer_email)
            from owners
            where owners.period_id = decision.period_id and owners.identity_id = decision.identity_id
                and (owners.owns_from is null or owners.owns_from <= decision.decided_at)
                and (owners.owns_until is null or owners.owns_until > decision.decided_at)
        ), false)
),

revocations as (
    select *
    from decisions as revoked
    where decision = 'revoke' and not exists (
        select 1
        from valid_decisions as later
        where later.period_id = revoked.period_id and later.source_instance = revoked.source_instance
            and later.campaign_id = revoked.campaign_id and later.system = revoked.system
            and later.instance = revoked.instance and later.account_id = revoked.account_id
            and later.entitlement = revoked.entitlement and later.decided_at > revoked.decided_at
    )
    -- One access revoked at one instant is one operation, whoever repeats it.
    qualify row_number() over (
        partition by period_id, source_instance, campaign_id, system, instance, account_id, entitlement, decided_at
        order by reviewer_email
    ) = 1
),

under_policy as (
    select *, decided_at + {{ days('sla_days') }} as due_at
    from {{ with_policy('revocations', 'RVF', 'sla_days', 'decided_at') }}
),

population as (
    select
        *,
        case
            when decided_at is null then launched_at >= start_at and launched_at < least(end_at, cutoff_at)
            when is_whole_day then decided_at > start_at and decided_at <= end_at and decided_at <= cutoff_at
            else decided_at >= start_at and decided_at < end_at and decided_at <= cutoff_at
        end as is_of_this_period
    from {{ with_policy('under_policy', 'RVF', 'regrant_days', 'decided_at') }}
),

numbered as (
    select *, row_number() over (
        order by period_id, source_instance, campaign_id, system, instance, account_id, entitlement, decided_at
    ) as operation
    from population
    where is_of_this_period or (decided_at <= start_at and due_at > start_at and due_at <= end_at)
),

-- The access as the campaign names it: by id or by name, whatever its case; empty means the whole account.
spells as (
    select
        numbered.operation,
        numbered.decided_at,
        spell.* exclude (system, instance, account_id, entitlement, entitlement_name),
        spell.entitlement as held_entitlement
    from numbered
    inner join {{ ref('fct_access_spells') }} as spell
        on numbered.system = spell.system and numbered.instance = spell.instance and numbered.account_id = spell.account_id
        and lower(numbered.entitlement) in (lower(spell.entitlement), lower(spell.entitlement_name))
        and (numbered.entitlement = '') = (spell.entitlement = '')
),

-- The stretch that the decision was about: open when it was made, or of an origin that nothing shows; else the last
-- one that had ended before.
decided_spells as (
    select
        operation,
        max_by(
            {
                'held_entitlement': held_entitlement,
                'was_open': closed_at is null or closed_at > decided_at,
                'closed_at': closed_at,
                'known_open_until': known_open_until,
                'opened_evidence': opened_evidence,
                'seen_evidence': seen_evidence,
                'closed_evidence': closed_evidence
            },
            (coalesce(closed_at, timestamp '9999-01-01') > decided_at, opened_by)
        ) as spell
    from spells
    where opened_by <= decided_at or is_origin_unknown
    group by operation
),

regrants as (
    select
        numbered.operation,
        min(regrant.given_back_at) as given_back_at,
        min_by(regrant.evidence, regrant.given_back_at) as regrant_evidence,
        min_by(coalesce(regrant.perhaps_approved_at >= numbered.decided_at, false), regrant.given_back_at) as may_be_approved
    from numbered
    inner join decided_spells using (operation)
    inner join {{ ref('fct_regrants') }} as regrant
        on numbered.system = regrant.system and numbered.instance = regrant.instance
        and numbered.account_id = regrant.account_id and decided_spells.spell.held_entitlement = regrant.entitlement
        and regrant.given_back_at > numbered.decided_at and regrant.given_back_at <= numbered.cutoff_at
        and regrant.given_back_at >= decided_spells.spell.closed_at
        and regrant.given_back_at <= decided_spells.spell.closed_at + {{ days('numbered.regrant_days') }}
        -- A request approved since the decision makes it a new grant.
        and (regrant.approved_at is null or regrant.approved_at < numbered.decided_at)
    group by numbered.operation
),

-- Whether a request for the new grant could lie in an export that nobody made.
ticket_feeds as (
    select
        regrants.operation,
        coalesce(bool_or(
            feed.covered_from <= greatest(numbered.decided_at, feed.required_from)
            and feed.covered_to >= least(regrants.given_back_at, feed.required_until)
        ), false) as is_covered
    from regrants
    inner join numbered using (operation)
    left join {{ ref('fct_ticket_windows') }} as feed
        on feed.kind = 'access_request' and numbered.period_id = feed.period_id
        and feed.required_from < regrants.given_back_at and feed.required_until > numbered.decided_at
    group by regrants.operation, feed.system, feed.feed, feed.instance
),

unseen_requests as (
    select operation from ticket_feeds group by operation having not bool_and(is_covered)
),

operations as (
    select
        numbered.*,
        spell.was_open as was_open,
        spell.closed_at as closed_at,
        spell.known_open_until as known_open_until,
        spell.opened_evidence || case when spell.closed_at is not null then spell.closed_evidence else spell.seen_evidence end
            as spell_evidence,
        regrants.given_back_at,
        regrants.regrant_evidence,
        case
            when numbered.decided_at is null then 'undated'
            when spell is null then 'no such access'
            when regrants.may_be_approved or unseen_requests.operation is not null then 'request unseen'
            when regrants.given_back_at is not null then 'regranted'
            when spell.closed_at <= due_at then 'gone'
            when due_at > cutoff_at then 'not due'
            when spell.known_open_until >= due_at then case when spell.closed_at <= cutoff_at then 'late' else 'not_removed' end
            when spell.closed_at is not null then 'state_unobserved'
            else 'removal_unobservable'
        end as finding
    from numbered
    left join decided_spells using (operation)
    left join regrants using (operation)
    left join unseen_requests using (operation)
    where is_of_this_period or spell.closed_at is null or spell.closed_at >= start_at
),

described as (
    select
        * replace (
            evidence || [account_evidence] || coalesce(spell_evidence, cast([] as varchar[]))
                || coalesce(regrant_evidence, cast([] as varchar[])) as evidence
        ),
        'account' as subject_type,
        coalesce(account_name, account_id) as subject_name,
        '' as cycle,
        source_instance || '/' || campaign_id as distinguished_by,
        coalesce(decided_at, launched_at) as opened_at,
        case when finding in ('gone', 'late', 'regranted', 'request unseen') then closed_at end as performed_at,
        'removal_days' as measure_name,
        case when finding in ('gone', 'late', 'regranted', 'request unseen')
            then round({{ seconds_between('decided_at', 'closed_at') }} / 86400, 6) end as measure_value,
        sla_days as threshold_value,
        'days' as unit,
        case
            when finding = 'gone' then 'operated'
            when finding = 'not due' then 'pending'
            when finding in ('late', 'not_removed', 'regranted') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case
            when finding in ('gone', 'not due') then null
            when finding in ('undated', 'request unseen') then 'state_unobserved'
            when finding = 'no such access' then 'removal_unobservable'
            else finding
        end as reason,
        case when entitlement = '' then 'The account' else entitlement end
            || coalesce(' was revoked ' || {{ said('decided_at') }}, ' was revoked')
            || coalesce(' by ' || reviewer_email, '') || '. '
            || case finding
                when 'gone' then case when closed_at <= decided_at then 'Gone before, ' else 'Gone ' end || {{ said('closed_at') }}
                    || '; ' || {{ said_number('sla_days') }} || ' d allowed.'
                when 'not due' then 'To be gone by ' || {{ said('due_at') }} || '.'
                when 'late' then 'Gone ' || {{ said('closed_at') }} || ', ' || {{ said_number(seconds_between('decided_at', 'closed_at') ~ ' / 86400') }}
                    || ' d later; ' || {{ said_number('sla_days') }} || ' d allowed.'
                when 'not_removed' then 'Still there; ' || {{ said_number('sla_days') }} || ' d allowed.'
                when 'regranted' then 'Gone ' || {{ said('closed_at') }} || ', given back ' || {{ said('given_back_at') }}
                    || ' without an approved ticket.'
                when 'request unseen' then 'Gone ' || {{ said('closed_at') }} || ', given back ' || {{ said('given_back_at') }}
                    || '; evidence hides whether or by whom that was approved.'
                when 'undated' then 'Nothing says when.'
                when 'no such access' then 'No inventory and no log shows this access.'
                when 'state_unobserved' then 'Due by ' || {{ said('due_at') }} || '; last known there ' || {{ said('known_open_until') }}
                    || ', known gone by ' || {{ said('closed_at') }} || '. A gap could hide its removal in time.'
                else 'Due by ' || {{ said('due_at') }} || '; last known there ' || {{ said('known_open_until') }}
                    || ', and nothing was collected since that would show its removal.'
            end as reason_text,
        case when finding = 'regranted' then given_back_at else due_at end as began_at
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'RVF') }}
)

select * from judged
