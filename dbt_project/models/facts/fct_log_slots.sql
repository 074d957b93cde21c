-- Every slot in which a required log should show something, with what it shows. Slots of whole days follow the
-- calendar of the period's zone; shorter ones are exact lengths from the start of the period. Where a requirement begins
-- or ends inside a slot, the slot is that much shorter.
with

logs as (
    select
        *,
        system || '/' || feed || '/' || instance as subject_id,
        cast(null as varchar) as identity_type,
        cast(null as varchar) as credential_type,
        cast(null as varchar) as account_type,
        {{ no_tags() }} as tags
    from {{ ref('dim_required_feeds') }}
    where kind = 'log'
),

lengths as (
    select distinct period_id, cast(value as double) as slot_length
    from {{ ref('dim_policies') }}
    where control_id = 'LOG' and parameter = 'slot_hours'
),

numbered as (
    select
        logs.*,
        lengths.slot_length,
        unnest(generate_series(
            0, cast(floor({{ seconds_between('period_start_at', 'period_end_at') }} / (slot_length * 3600)) + 1 as bigint)
        )) as slot_number
    from logs
    inner join lengths using (period_id)
),

slots as (
    select
        * exclude (slot_number),
        {{ slot_start('slot_number', 'slot_length') }} as slot_start,
        {{ slot_start('slot_number + 1', 'slot_length') }} as slot_end
    from numbered
),

-- The length that holds when a slot begins is the length of that slot.
under_policy as (
    select *
    from {{ with_policy('slots', 'LOG', 'slot_hours', 'slot_start') }}
    where slot_hours = slot_length
),

due as (
    select * replace (greatest(slot_start, required_from) as slot_start, least(slot_end, required_until) as slot_end)
    from under_policy
    where slot_start < required_until and slot_end > required_from
    -- A slot of an older length that the requirement cuts to the begin of a newer one gives way to it.
    qualify row_number() over (
        partition by period_id, system, feed, instance, greatest(slot_start, required_from)
        order by slot_length, slot_end
    ) = 1
),

shown as (
    select
        due.period_id,
        due.system,
        due.feed,
        due.instance,
        due.slot_start,
        min(presence.first_event_at) as first_event_at,
        min_by(presence.evidence, (presence.first_event_at, presence.evidence)) as event_evidence
    from due
    inner join {{ ref('int_log_presence') }} as presence
        on due.system = presence.system and due.feed = presence.feed and due.instance = presence.instance
        and presence.quarter_hour >= due.slot_start and presence.quarter_hour < due.slot_end
    group by all
)

select
    due.period_id,
    due.system,
    due.feed,
    due.instance,
    due.subject_id,
    due.is_sparse,
    due.shows_use,
    due.slot_hours,
    due.slot_start,
    due.slot_end,
    due.cutoff_at,
    due.timezone,
    due.decision_evidence,
    shown.first_event_at,
    shown.event_evidence,
    windows.covered_from is not null as is_covered
from due
left join shown using (period_id, system, feed, instance, slot_start)
left join {{ ref('fct_feed_windows') }} as windows
    on due.system = windows.system and due.feed = windows.feed and due.instance = windows.instance
    and windows.covered_from <= due.slot_start
    and windows.covered_to >= due.slot_end - interval 1 second
