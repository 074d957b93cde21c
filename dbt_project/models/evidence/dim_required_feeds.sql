-- The evidence that has to be there, per period, with the days on which the duty holds.
select
    periods.period_id,
    required.system,
    required.feed,
    required.instance,
    coalesce(feeds.kind, 'unknown') as kind,
    coalesce(feeds.provides, []) as provides,
    required.cadence_days,
    required.is_sparse,
    required.shows_use,
    required.source_retention_days,
    greatest(periods.start_at, coalesce({{ local_midnight('required.first_day', 'periods.timezone') }}, periods.start_at))
        as required_from,
    least(periods.end_at, coalesce({{ local_midnight('required.last_day + 1', 'periods.timezone') }}, periods.end_at))
        as required_until,
    periods.start_at as period_start_at,
    periods.end_at as period_end_at,
    periods.cutoff_at,
    periods.timezone,
    required.decision_evidence
from {{ in_force('required_feeds') }} as required
cross join {{ ref('dim_periods') }} as periods
left join {{ ref('dim_feeds') }} as feeds on required.system = feeds.system and required.feed = feeds.feed
where coalesce({{ local_midnight('required.first_day', 'periods.timezone') }}, periods.start_at) < periods.end_at
    and coalesce({{ local_midnight('required.last_day + 1', 'periods.timezone') }}, periods.end_at) > periods.start_at
