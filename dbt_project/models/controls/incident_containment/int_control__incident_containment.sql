-- INC: what a compromise incident names is disabled, deleted or rotated within the SLA of detection, and unused afterwards.
-- The logs and inventories of the systems say so, never the ticket.
with

population as (
    select
        periods.period_id,
        periods.start_at,
        periods.end_at,
        periods.cutoff_at,
        incidents.source_system,
        incidents.source_instance,
        incidents.ticket_id,
        incidents.target,
        coalesce(incidents.system, incidents.source_system) as system,
        coalesce(incidents.instance, incidents.source_instance) as instance,
        incidents.subject_type,
        coalesce(incidents.subject_id, incidents.target, incidents.ticket_id) as subject_id,
        incidents.account_id,
        incidents.credential_id,
        incidents.detected_at,
        incidents.is_detection_stated,
        incidents.escalated_at,
        incidents.declared_contained_at,
        incidents.recovered_at,
        incidents.is_over,
        incidents.evidence,
        credentials.credential_name,
        credentials.credential_type,
        credentials.custody,
        accounts.account_name,
        accounts.account_type,
        coalesce(accounts.identity_id, credentials.identity_id) as identity_id,
        coalesce(accounts.identity_type, credentials.identity_type) as identity_type,
        coalesce(credentials.tags, accounts.tags, {{ no_tags() }}) as tags
    from {{ ref('fct_incidents') }} as incidents
    inner join {{ ref('dim_periods') }} as periods on incidents.detected_at <= periods.cutoff_at
    left join {{ ref('dim_accounts') }} as accounts
        on incidents.system = accounts.system and incidents.instance = accounts.instance
        and incidents.account_id = accounts.account_id
    left join {{ ref('dim_credentials') }} as credentials
        on incidents.system = credentials.system and incidents.instance = credentials.instance
        and incidents.credential_id = credentials.credential_id
),

under_policy as (
    select *, detected_at + {{ hours('sla_hours') }} as due_at
    from {{ with_policy('population', 'INC', 'sla_hours', 'detected_at') }}
),

numbered as (
    select *, row_number() over (
        order by period_id, source_system, source_instance, ticket_id, system, instance, subject_type, subject_id
    ) as operation
    from under_policy
    where (detected_at >= start_at and detected_at < end_at)
        or (detected_at < start_at and due_at > start_at and due_at <= end_at)
),

-- A key, or the version of a secret that was current at the detection: else the last one before, else the first after.
credentials_named as (
    select
        numbered.operation,
        min_by(
            {
                'closed_at': intervals.closed_at,
                'known_open_until': intervals.known_open_until,
                'version': intervals.version,
                'reopened_at': cast(null as timestamp),
                'keys': [intervals.credential_id],
                'evidence': coalesce(intervals.opened_evidence, []) || case when intervals.closed_at is null
                    then coalesce(intervals.seen_evidence, []) else coalesce(intervals.closed_evidence, []) end
            },
            (
                case
                    when intervals.opened_by <= numbered.detected_at
                        and coalesce(intervals.closed_at > numbered.detected_at, true) then 0
                    when intervals.opened_by <= numbered.detected_at then 1
                    else 2
                end,
                abs(epoch_us(intervals.opened_by) - epoch_us(numbered.detected_at))
            )
        ) as found
    from numbered
    inner join {{ ref('fct_credential_intervals') }} as intervals
        on numbered.system = intervals.system and numbered.instance = intervals.instance
        and numbered.credential_id = intervals.credential_id
    where numbered.subject_type = 'credential'
    group by numbered.operation
),

-- The stretch in which the account was open at the detection, else the last one before, and when it was opened again.
account_spells as (
    select
        numbered.operation,
        max_by(
            {
                'opened_by': spells.opened_by,
                'closed_at': spells.closed_at,
                'known_open_until': spells.known_open_until,
                'evidence': spells.opened_evidence || case when spells.closed_at is null then spells.seen_evidence
                    else spells.closed_evidence end
            },
            spells.opened_by
        ) filter (spells.opened_by <= numbered.detected_at or spells.opened_at is null) as spell,
        min(spells.opened_by) filter (spells.opened_by > numbered.detected_at and spells.opened_at is not null) as reopened_at
    from numbered
    inner join {{ ref('fct_account_spells') }} as spells
        on numbered.system = spells.system and numbered.instance = spells.instance
        and numbered.account_id = spells.account_id
    where numbered.subject_type = 'account'
    group by numbered.operation
),

-- Rotated is an account all of whose keys and passwords of then are closed, whatever it got since.
ways_in as (
    select
        numbered.operation,
        case when bool_and(stretch.closed_at is not null) then max(stretch.closed_at) end as closed_at,
        max(stretch.known_open_until) as known_open_until,
        list(credentials.credential_id) as keys,
        flatten(list(coalesce(stretch.closed_evidence, []))) as evidence
    from numbered
    inner join {{ ref('dim_credentials') }} as credentials
        on numbered.system = credentials.system and numbered.instance = credentials.instance
        and numbered.account_id = credentials.account_id
    inner join {{ ref('int_key_stretches') }} as stretch
        on credentials.system = stretch.system and credentials.instance = stretch.instance
        and credentials.credential_id = stretch.subject_id
    where numbered.subject_type = 'account' and stretch.opened_by <= numbered.detected_at
        and (stretch.closed_at is null or stretch.closed_at > numbered.detected_at)
    group by numbered.operation
),

accounts_named as (
    select
        account_spells.operation,
        {
            'closed_at': least(account_spells.spell.closed_at, ways_in.closed_at),
            'known_open_until': least(account_spells.spell.known_open_until,
                coalesce(ways_in.known_open_until, account_spells.spell.known_open_until)),
            'version': cast(null as bigint),
            'reopened_at': account_spells.reopened_at,
            -- Only the old ways in count where the account itself stayed open.
            'keys': case when coalesce(ways_in.closed_at < account_spells.spell.closed_at,
                account_spells.spell.closed_at is null) then ways_in.keys end,
            'evidence': account_spells.spell.evidence || coalesce(ways_in.evidence, [])
        } as found
    from account_spells
    left join ways_in using (operation)
    where account_spells.spell is not null
),

contained as (
    select
        numbered.*,
        found.closed_at as contained_at,
        found.known_open_until as known_open_until,
        found.version as version,
        found.keys as keys,
        coalesce(found.evidence, cast([] as varchar[])) as state_evidence,
        found is not null as is_known,
        -- Until then a use tells something: an account that was opened again is in use for good reason.
        least(cutoff_at, coalesce(found.reopened_at, cutoff_at)) as watched_until
    from numbered
    left join (select * from credentials_named union all by name select * from accounts_named) as found_states using (operation)
),

uses_afterwards as (
    select
        contained.operation,
        min(case when usage.first_success_at > contained_at then usage.first_success_at else usage.last_success_at end) as used_at,
        min_by(
            case when usage.first_success_at > contained_at then usage.first_success_evidence else usage.last_success_evidence end,
            case when usage.first_success_at > contained_at then usage.first_success_at else usage.last_success_at end
        ) as use_evidence
    from contained
    inner join {{ ref('fct_usage_daily') }} as usage
        on contained.system = usage.system and contained.instance = usage.instance
        and case
            when contained.subject_type = 'credential' then contained.credential_id = usage.credential_id
                and (contained.version is null or usage.version is null or contained.version = usage.version)
            else contained.account_id = usage.account_id
                and (contained.keys is null or list_contains(contained.keys, usage.credential_id))
        end
        -- A read of a secret that names no version tells nothing about the old one.
        and (contained.custody is distinct from 'versioned' or usage.version is not null)
    where usage.last_success_at > contained_at
        and case when usage.first_success_at > contained_at then usage.first_success_at else usage.last_success_at end
            <= contained.watched_until
    group by contained.operation
),

watched as (
    select contained.operation, bool_or(true) as is_watched
    from contained
    inner join {{ ref('fct_observed_windows') }} as logs
        on logs.input = 'usage' and contained.system = logs.system and contained.instance = logs.instance
        and logs.covered_from <= greatest(contained_at, contained.start_at)
        and logs.covered_to >= contained.watched_until - interval 1 second
    group by contained.operation
),

operations as (
    select
        contained.*,
        uses_afterwards.used_at,
        uses_afterwards.use_evidence,
        case
            when not is_known then 'unknown target'
            when uses_afterwards.used_at is not null then 'used_after_containment'
            when contained_at <= due_at then case when watched.is_watched then 'contained' else 'use unseen' end
            when due_at > cutoff_at then 'not due'
            when known_open_until >= due_at then case
                when contained_at <= cutoff_at then 'late'
                when is_over or declared_contained_at is not null then 'not_evidenced'
                else 'not_contained'
            end
            when contained_at is not null then 'state_unobserved'
            else 'logs_missing'
        end as finding
    from contained
    left join uses_afterwards using (operation)
    left join watched using (operation)
    where detected_at >= start_at or contained_at is null or contained_at >= start_at
),

described as (
    select
        * replace (
            coalesce(subject_type, 'target') as subject_type,
            evidence || state_evidence || [use_evidence] as evidence
        ),
        coalesce(
            credential_name || case when version is not null then ' v' || cast(version as varchar) else '' end,
            account_name, target, ticket_id
        ) as subject_name,
        '' as entitlement,
        '' as cycle,
        source_system || '/' || source_instance || '/' || ticket_id as distinguished_by,
        detected_at as opened_at,
        case when finding in ('contained', 'use unseen', 'late', 'used_after_containment') then contained_at end as performed_at,
        'containment_hours' as measure_name,
        case when finding in ('contained', 'use unseen', 'late', 'used_after_containment')
            then round({{ seconds_between('detected_at', 'contained_at') }} / 3600, 6) end as measure_value,
        sla_hours as threshold_value,
        'hours' as unit,
        case
            when finding = 'contained' then 'operated'
            when finding = 'not due' then 'pending'
            when finding in ('late', 'not_contained', 'not_evidenced', 'used_after_containment') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case
            when finding in ('contained', 'not due') then null
            when finding in ('unknown target', 'use unseen') then 'logs_missing'
            else finding
        end as reason,
        ticket_id || ' detected ' || {{ said('detected_at') }}
            || case when is_detection_stated then '' else ' (when the ticket was opened)' end
            || coalesce(', escalated ' || {{ said('escalated_at') }}, '')
            || coalesce(', declared contained ' || {{ said('declared_contained_at') }}, '')
            || coalesce(', recovered ' || {{ said('recovered_at') }}, '') || '. '
            || case finding
                when 'contained' then 'Closed ' || {{ said('contained_at') }} || ', '
                    || {{ said_number(seconds_between('detected_at', 'contained_at') ~ ' / 3600') }} || ' h after; '
                    || {{ said_number('sla_hours') }} || ' h allowed; not used since.'
                when 'use unseen' then 'Closed ' || {{ said('contained_at') }} || '; no log shows all of the time since, so a use may be unseen.'
                when 'late' then 'Closed ' || {{ said('contained_at') }} || ', '
                    || {{ said_number(seconds_between('detected_at', 'contained_at') ~ ' / 3600') }} || ' h after; '
                    || {{ said_number('sla_hours') }} || ' h allowed.'
                when 'used_after_containment' then 'Closed ' || {{ said('contained_at') }} || ', used again ' || {{ said('used_at') }} || '.'
                when 'not_contained' then 'Still open; ' || {{ said_number('sla_hours') }} || ' h allowed.'
                when 'not_evidenced' then 'The ticket says it is over, and the system shows it open.'
                when 'not due' then 'To be closed by ' || {{ said('due_at') }} || '.'
                when 'unknown target' then 'Nothing in evidence is called ' || coalesce(target, 'what the ticket leaves empty') || '.'
                when 'state_unobserved' then 'Due by ' || {{ said('due_at') }} || '; last known open ' || {{ said('known_open_until') }}
                    || ', known closed by ' || {{ said('contained_at') }} || '. A gap in the logs could hide its closing in time.'
                else 'Due by ' || {{ said('due_at') }} || '; last known open ' || {{ said('known_open_until') }}
                    || ', and no log or inventory since shows how it stands.'
            end as reason_text,
        case when finding = 'used_after_containment' then used_at else due_at end as began_at
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'INC') }}
)

select * from judged
