-- VLT: every credential of a non-human identity is held in a vault for its active time but the first day.
with

credentials as (
    select
        system, instance, credential_id, credential_id as subject_id, credential_name, credential_type,
        cast(null as varchar) as account_type, identity_id, identity_type, tags
    from {{ ref('dim_credentials') }}
    where identity_id is not null and coalesce(identity_type not in ('employee', 'contractor'), true)
        -- Ways into an account that a vault can't hand out.
        and credential_type not in ('console_password', 'signing_certificate')
),

spells as (
    select
        credentials.*,
        coalesce(spells.opened_at, spells.opened_by) as active_from,
        coalesce(spells.closed_at, timestamp '9999-01-01') as active_to,
        spells.opened_at is null as is_origin_unknown,
        spells.known_open_until,
        min(coalesce(spells.opened_at, spells.opened_by)) over (
            partition by credentials.system, credentials.instance, credentials.credential_id
        ) as created_at,
        spells.opened_evidence || case when spells.closed_at is null then spells.seen_evidence else spells.closed_evidence end
            as spell_evidence
    from credentials
    inner join {{ ref('fct_revocable_spells') }} as spells
        on spells.subject_type = 'credential' and credentials.system = spells.system
        and credentials.instance = spells.instance and credentials.credential_id = spells.subject_id
),

active as (
    select periods.period_id, periods.start_at, periods.cutoff_at, spells.*
    from spells
    inner join {{ ref('dim_periods') }} as periods
        on spells.active_from < periods.cutoff_at and spells.active_to > periods.start_at
),

under_policy as (
    select *, created_at + {{ days('grace_days') }} as due_at
    from {{ with_policy('active', 'VLT', 'grace_days', 'created_at') }}
),

-- The inventories of vaults: feeds that are nothing else, and our own CSV where it names what it holds.
vault_feeds as (
    select required.period_id, required.system, required.feed, required.instance,
        max(required.cadence_days) as cadence_days, min(required.required_from) as required_from,
        list(required.decision_evidence) as evidence
    from {{ ref('dim_required_feeds') }} as required
    where list_contains(required.provides, 'vault_inventory') or exists (
        select 1 from {{ ref('fct_vault_holdings') }} as holding
        where holding.source_system = required.system and holding.source_feed = required.feed
            and holding.vault_instance = required.instance
    )
    group by required.period_id, required.system, required.feed, required.instance
),

collected as (
    select vault_feeds.period_id, vault_feeds.system, vault_feeds.feed, vault_feeds.instance, vault_feeds.cadence_days,
        vault_feeds.required_from, min(deliveries.collected_at) as first_at, max(deliveries.collected_at) as last_at
    from vault_feeds
    left join {{ ref('int_deliveries') }} as deliveries
        on vault_feeds.system = deliveries.source_system and vault_feeds.feed = deliveries.source_feed
        and vault_feeds.instance = deliveries.source_instance and deliveries.status = 'accepted' and not deliveries.is_filtered
    group by all
),

-- What no vault lists was in none of them only while all of them were listed; the last list speaks for one cadence.
listed as (
    select
        periods.period_id,
        coalesce(max(case when collected.first_at is null then timestamp '9999-01-01'
            when collected.first_at > collected.required_from then collected.first_at end), timestamp '0001-01-01') as listed_from,
        case when count(collected.system) = 0 then timestamp '0001-01-01'
            else min(collected.last_at + {{ days('collected.cadence_days') }}) end as listed_to
    from {{ ref('dim_periods') }} as periods
    left join collected using (period_id)
    group by periods.period_id
),

holdings as (
    select
        holdings.system,
        holdings.instance,
        holdings.credential_id,
        periods.period_id,
        holdings.held_from as covered_from,
        coalesce(holdings.held_until, holdings.last_seen_at + {{ days('coalesce(vault_feeds.cadence_days, 7)') }}) as covered_to,
        holdings.item_id,
        holdings.evidence
    from {{ ref('fct_vault_holdings') }} as holdings
    cross join {{ ref('dim_periods') }} as periods
    left join vault_feeds
        on periods.period_id = vault_feeds.period_id and holdings.source_system = vault_feeds.system
        and holdings.source_feed = vault_feeds.feed and holdings.vault_instance = vault_feeds.instance
),

held as (
    select
        active.period_id,
        active.system,
        active.instance,
        active.credential_id,
        active.active_from,
        holdings.covered_from as held_from,
        holdings.covered_to as held_to
    from under_policy as active
    inner join {{ merged_windows('holdings', ['period_id', 'system', 'instance', 'credential_id']) }} as holdings
        on active.period_id = holdings.period_id and active.system = holdings.system and active.instance = holdings.instance
        and active.credential_id = holdings.credential_id
        and holdings.covered_from < active.active_to and holdings.covered_to > active.active_from
),

stretches as (
    select active.*,
        coalesce(lag(held.held_to) over timeline, active.active_from) as outside_from,
        coalesce(held.held_from, active.active_to) as outside_to
    from under_policy as active
    left join held using (period_id, system, instance, credential_id, active_from)
    window timeline as (
        partition by active.period_id, active.system, active.instance, active.credential_id, active.active_from
        order by held.held_from
    )
    union all
    select active.*, max(held.held_to) as outside_from, active.active_to as outside_to
    from under_policy as active
    inner join held using (period_id, system, instance, credential_id, active_from)
    group by all
),

outside as (
    select
        *,
        greatest(outside_from, due_at) as began_at,
        greatest(outside_from, due_at, start_at) as breach_from,
        least(outside_to, active_to, cutoff_at) as breach_to,
        case
            when least(outside_to, cutoff_at, listed_to) > greatest(outside_from, due_at, start_at, listed_from) then
                case when known_open_until > greatest(outside_from, due_at, start_at, listed_from) then 'outside_vault'
                    else 'state_unobserved' end
            else 'vault_inventory_gap'
        end as found
    from stretches
    inner join listed using (period_id)
    where least(outside_to, active_to, cutoff_at) > greatest(outside_from, due_at, start_at) + interval 1 second
),

worst as (
    select
        period_id, system, instance, credential_id,
        min_by(
            {'found': found, 'began_at': began_at, 'breach_to': breach_to, 'listed_from': listed_from, 'listed_to': listed_to},
            (case found when 'outside_vault' then 1 when 'state_unobserved' then 2 else 3 end, breach_from)
        ) as breach,
        sum({{ seconds_between('breach_from', 'breach_to') }}) / 86400 as outside_days
    from outside
    group by period_id, system, instance, credential_id
),

held_items as (
    select period_id, system, instance, credential_id, min(covered_from) as first_held_at,
        string_agg(distinct item_id, ', ' order by item_id) as items, flatten(list(evidence)) as holding_evidence
    from holdings
    group by period_id, system, instance, credential_id
),

requirements as (
    select period_id, flatten(list(evidence)) as evidence from vault_feeds group by period_id
),

operations as (
    select
        active.period_id, active.system, active.instance, active.credential_id, active.subject_id, active.credential_name,
        active.identity_id, active.created_at, active.cutoff_at, active.due_at, active.grace_days,
        worst.breach,
        coalesce(worst.outside_days, 0) as outside_days,
        held_items.first_held_at,
        held_items.items,
        flatten(list(active.spell_evidence)) || coalesce(held_items.holding_evidence, cast([] as varchar[]))
            || case when held_items.items is null then coalesce(requirements.evidence, cast([] as varchar[]))
                else cast([] as varchar[]) end as evidence,
        case
            when worst.breach is not null then worst.breach.found
            -- Seen first when it was already there: how long it had been active outside, nobody knows.
            when min_by(active.is_origin_unknown, active.active_from)
                and coalesce(held_items.first_held_at, active.cutoff_at) > min(active.start_at) then 'state_unobserved'
            when active.due_at > active.cutoff_at and (held_items.first_held_at is null or held_items.first_held_at > active.due_at)
                and max(active.active_to) > active.due_at then 'not due'
            else 'held'
        end as finding
    from under_policy as active
    left join worst using (period_id, system, instance, credential_id)
    left join held_items using (period_id, system, instance, credential_id)
    left join requirements using (period_id)
    group by active.period_id, active.system, active.instance, active.credential_id, active.subject_id, active.credential_name,
        active.identity_id, active.created_at, active.cutoff_at, active.due_at, active.grace_days, worst.breach,
        worst.outside_days, held_items.first_held_at, held_items.items, held_items.holding_evidence, requirements.evidence
),

described as (
    select
        *,
        'credential' as subject_type,
        credential_name as subject_name,
        '' as entitlement,
        '' as cycle,
        '' as distinguished_by,
        coalesce(breach.began_at, created_at) as opened_at,
        case when first_held_at <= greatest(cutoff_at, due_at) then first_held_at end as performed_at,
        'outside_days' as measure_name,
        round(outside_days, 6) as measure_value,
        grace_days as threshold_value,
        'days' as unit,
        case
            when finding = 'held' then 'operated'
            when finding = 'not due' then 'pending'
            when finding = 'outside_vault' then 'deviation'
            else 'indeterminate'
        end as verdict,
        case when finding not in ('held', 'not due') then finding end as reason,
        case finding
            when 'held' then coalesce('Held in ' || items || ' since ' || {{ said('first_held_at') }} || '.',
                'Gone before it had to be in a vault, by ' || {{ said('due_at') }} || '.')
            when 'not due' then 'Created ' || {{ said('created_at') }} || '; to be in a vault by ' || {{ said('due_at') }} || '.'
            when 'outside_vault' then 'In no vault from ' || {{ said('breach.began_at') }} || ' to ' || {{ said('breach.breach_to') }}
                || ', for ' || {{ said_number('outside_days') }} || ' d of the period'
                || coalesce('; held in ' || items || ' since ' || {{ said('first_held_at') }}, '') || '.'
            when 'vault_inventory_gap' then 'No vault is known to hold it from ' || {{ said('breach.began_at') }}
                || ', and no inventory of every vault covers that time.'
            else coalesce('No vault is known to hold it from ' || {{ said('breach.began_at') }} || '; nothing shows that it was still active then.',
                'First seen ' || {{ said('created_at') }} || coalesce(', held in ' || items || ' since ' || {{ said('first_held_at') }}, '')
                    || '; nothing shows since when it was active.')
        end as reason_text,
        breach.began_at as began_at
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'VLT') }}
)

select * from judged
