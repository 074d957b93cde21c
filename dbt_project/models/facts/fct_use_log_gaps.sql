-- When use of a system could go unseen: the stretches that a required log which shows use leaves open, one log at a time,
-- because each log shows uses that the others don't. Before its first file and after its last a log is open without end.
-- A log that may not be silent and was for a whole slot is open there as well (`no_events`). A system with accounts or
-- credentials and no such log is open for ever.
with

required_logs as (
    select
        period_id,
        system as source_system,
        feed,
        instance,
        system || '/' || feed || '/' || instance as log,
        period_end_at,
        timezone,
        max_by(is_sparse, required_from) as is_sparse,
        max_by(decision_evidence, required_from) as decision_evidence
    from {{ ref('dim_required_feeds') }}
    where kind = 'log' and shows_use
    group by all
),

subjects as (
    select distinct system, instance from {{ ref('dim_accounts') }}
    union
    select distinct system, instance from {{ ref('dim_credentials') }}
),

named_by_generic as (
    select distinct system, instance from {{ ref('int_account_listings') }} where source_system = 'generic'
    union
    select distinct system, instance from {{ ref('int_credential_listings') }} where source_system = 'generic'
    union
    select distinct system, instance from {{ ref('int_events') }} where source_system = 'generic'
),

-- A log shows the use of its own system; a generic one that of the systems its rows name.
logs as (
    select source_system as system, required_logs.* from required_logs where source_system <> 'generic'
    union all by name
    select named_by_generic.system, required_logs.*
    from required_logs
    inner join named_by_generic using (instance)
    where source_system = 'generic'
),

windows as (
    select
        logs.period_id,
        logs.system,
        logs.log,
        logs.instance,
        logs.decision_evidence,
        windows.covered_from,
        windows.covered_to
    from logs
    left join {{ ref('fct_feed_windows') }} as windows
        on logs.source_system = windows.system and logs.feed = windows.feed and logs.instance = windows.instance
),

uncollected as (
    select
        period_id, system, log, instance, decision_evidence,
        coalesce(lag(covered_to) over timeline, timestamp '0001-01-01') as gap_from,
        coalesce(covered_from, timestamp '9999-01-01') as gap_to
    from windows
    window timeline as (partition by period_id, system, log, instance order by covered_from)
    union all
    select period_id, system, log, instance, decision_evidence, max(covered_to), timestamp '9999-01-01'
    from windows
    where covered_to is not null
    group by all
),

-- The period's own slots, and after its end slots of the same length up to as_of.
later_slots as (
    select
        *,
        {{ slot_start('slot_number') }} as slot_start,
        {{ slot_start('slot_number + 1') }} as slot_end
    from (
        select
            logs.*,
            logs.period_end_at as period_start_at,
            lengths.slot_hours,
            unnest(generate_series(
                0, cast(floor({{ seconds_between('logs.period_end_at', as_of()) }} / (lengths.slot_hours * 3600)) as bigint)
            )) as slot_number
        from logs
        inner join (
            select period_id, subject_id as log, max_by(slot_hours, slot_start) as slot_hours
            from {{ ref('fct_log_slots') }}
            group by period_id, subject_id
        ) as lengths using (period_id, log)
        where not logs.is_sparse
    )
),

shown_later as (
    select distinct later_slots.period_id, later_slots.log, later_slots.system, later_slots.slot_start
    from later_slots
    inner join {{ ref('int_log_presence') }} as presence
        on later_slots.source_system = presence.system and later_slots.feed = presence.feed
        and later_slots.instance = presence.instance
        and presence.quarter_hour >= later_slots.slot_start and presence.quarter_hour < later_slots.slot_end
),

silent as (
    select logs.period_id, logs.system, logs.log, logs.instance, logs.decision_evidence, slots.slot_start as gap_from,
        slots.slot_end as gap_to
    from logs
    inner join {{ ref('fct_log_slots') }} as slots on logs.period_id = slots.period_id and logs.log = slots.subject_id
    where slots.event_evidence is null and not slots.is_sparse and slots.slot_end <= slots.cutoff_at
    union all
    select period_id, system, log, instance, decision_evidence, slot_start, slot_end
    from later_slots
    left join shown_later using (period_id, system, log, slot_start)
    where shown_later.log is null and slot_end <= {{ as_of() }}
),

unlogged as (
    select periods.period_id, subjects.system, cast(null as varchar) as log, subjects.instance,
        cast(null as varchar) as decision_evidence, timestamp '0001-01-01' as gap_from, timestamp '9999-01-01' as gap_to
    from subjects
    cross join {{ ref('dim_periods') }} as periods
    where not exists (
        select 1 from logs
        where logs.period_id = periods.period_id and logs.system = subjects.system and logs.instance = subjects.instance
    )
)

select *, 'not_collected' as why from uncollected where gap_to > gap_from + interval 1 second
union all by name
select *, 'no_events' as why from silent
union all by name
select *, 'no_log' as why from unlogged
