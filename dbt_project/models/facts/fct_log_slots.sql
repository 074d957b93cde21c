-- Every slot in which a required log should show something, with what it shows. Slots of whole days follow the
-- calendar of the period's zone; shorter ones are exact lengths from the start of the period.
with

logs as (
    select required.*, coalesce(policy.slot_hours, 24) as slot_hours
    from {{ ref('dim_required_feeds') }} as required
    left join (
        select period_id, scope_key, scope_value, cast(value as double) as slot_hours
        from {{ ref('dim_policies') }}
        where control_id = 'LOG' and parameter = 'slot_hours' and scope_key in ('all', 'system')
        qualify row_number() over (
            partition by period_id, scope_key, scope_value order by specificity desc, valid_from desc nulls last, policy_order desc
        ) = 1
    ) as policy
        on required.period_id = policy.period_id
        and (policy.scope_key = 'all' or policy.scope_value = required.system)
    where required.kind = 'log'
    qualify row_number() over (
        partition by required.period_id, required.system, required.feed, required.instance
        order by policy.scope_key = 'system' desc
    ) = 1
),

numbered as (
    select
        *,
        unnest(generate_series(
            0, cast(floor({{ seconds_between('period_start_at', 'period_end_at') }} / (slot_hours * 3600)) + 1 as bigint)
        )) as slot_number
    from logs
),

slots as (
    select
        * exclude (slot_number),
        {{ slot_start('slot_number') }} as slot_start,
        least({{ slot_start('slot_number + 1') }}, period_end_at) as slot_end
    from numbered
),

due as (
    select *
    from slots
    where slot_start < period_end_at and slot_start >= required_from and slot_start < required_until
),

presence as (
    select
        presence.source_system as system,
        presence.source_feed as feed,
        deliveries.source_instance as instance,
        quarter_hour,
        min(presence.first_event_at) as first_event_at,
        min_by({{ evidence_ref('presence.sha256', 'first_record_number') }}, (presence.first_event_at, presence.sha256)) as evidence
    from (
        {% for system in ['hashicorp_vault', 'aws', 'okta', 'generic'] %}
        select * from {{ ref('stg_' ~ system ~ '__log_presence') }}
        {{ 'union all by name' if not loop.last }}
        {% endfor %}
    ) as presence
    inner join {{ ref('int_deliveries') }} as deliveries
        on presence.sha256 = deliveries.sha256 and presence.source_system = deliveries.source_system
        and presence.source_feed = deliveries.source_feed
    group by all
),

with_events as (
    select
        due.*,
        min(presence.first_event_at) as first_event_at,
        min_by(presence.evidence, (presence.first_event_at, presence.evidence)) as event_evidence
    from due
    left join presence
        on due.system = presence.system and due.feed = presence.feed and due.instance = presence.instance
        and presence.quarter_hour >= due.slot_start and presence.quarter_hour < due.slot_end
    group by all
)

select
    with_events.*,
    windows.covered_from is not null as is_covered
from with_events
left join {{ ref('fct_feed_windows') }} as windows
    on with_events.system = windows.system and with_events.feed = windows.feed
    and with_events.instance = windows.instance
    and windows.covered_from <= with_events.slot_start
    and windows.covered_to >= with_events.slot_end - interval 1 second
