-- When tickets of a kind could have been seen: one row per required ticket feed that holds such tickets and window its
-- exports cover. An export covers the window it declares; without one, the time since the export before it where that
-- is at most two cadences, else one cadence. A feed that never delivered has a row without a window.
with

kinds as (
    select distinct kind, source_system as system from {{ ref('fct_ticket_targets') }}
    union
    select distinct kind, system from {{ in_force('ticket_rules') }}
    union
    select unnest(['access_request', 'nhi_retirement', 'incident', 'change', 'log_outage']), 'generic'
),

required as (
    select
        required.period_id,
        kinds.kind,
        required.system,
        required.feed,
        required.instance,
        -- What was required before the period began was required then as well.
        min(case when required.required_from = required.period_start_at then timestamp '0001-01-01'
            else required.required_from end) as required_from,
        max(required.required_until) as required_until,
        max(required.cadence_days) as cadence_days
    from {{ ref('dim_required_feeds') }} as required
    inner join kinds on required.system = kinds.system
    where list_contains(required.provides, 'tickets')
    group by all
),

deliveries as (
    select
        *,
        lag(collected_at) over (partition by source_system, source_feed, source_instance order by collected_at) as before_at
    from {{ ref('int_deliveries') }}
    where status = 'accepted' and not is_filtered
),

windows as (
    select
        required.*,
        coalesce(
            case when window_end is not null then window_start end,
            case when collected_at - before_at <= {{ days('2 * cadence_days') }} then before_at end,
            collected_at - {{ days('cadence_days') }}
        ) as covered_from,
        coalesce(case when window_start is not null then least(window_end, collected_at) end, collected_at) as covered_to
    from required
    inner join deliveries
        on required.system = deliveries.source_system and required.feed = deliveries.source_feed
        and required.instance = deliveries.source_instance
),

merged as (
    select * from {{ merged_windows('windows', ['period_id', 'kind', 'system', 'feed', 'instance']) }}
)

select
    required.period_id,
    required.kind,
    required.system,
    required.feed,
    required.instance,
    required.required_from,
    required.required_until,
    merged.covered_from,
    merged.covered_to
from required
left join merged using (period_id, kind, system, feed, instance)
