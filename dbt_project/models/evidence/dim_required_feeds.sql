-- The evidence that has to be there: one row per period, feed and stretch of days on which one requirement holds. Where
-- two requirements of a feed hold on the same day, the one that began last decides.
with

held as (
    select
        periods.period_id,
        required.system,
        required.feed,
        required.instance,
        required.cadence_days,
        required.is_sparse,
        required.shows_use,
        required.source_retention_days,
        required.first_day,
        required.record_number,
        required.decision_evidence,
        greatest(periods.start_at, coalesce({{ local_midnight('required.first_day', 'periods.timezone') }}, periods.start_at))
            as held_from,
        least(periods.end_at, coalesce({{ local_midnight('required.last_day + 1', 'periods.timezone') }}, periods.end_at))
            as held_until,
        periods.start_at as period_start_at,
        periods.end_at as period_end_at,
        periods.cutoff_at,
        periods.timezone
    from {{ in_force('required_feeds') }} as required
    cross join {{ ref('dim_periods') }} as periods
),

stretches as (
    select
        *,
        lead(required_from) over (partition by period_id, system, feed, instance order by required_from) as required_until
    from (
        select period_id, system, feed, instance, held_from as required_from from held
        union
        select period_id, system, feed, instance, held_until from held
    )
)

select
    period_id,
    system,
    feed,
    instance,
    coalesce(feeds.kind, 'unknown') as kind,
    coalesce(feeds.provides, []) as provides,
    held.cadence_days,
    held.is_sparse,
    held.shows_use,
    held.source_retention_days,
    stretches.required_from,
    stretches.required_until,
    held.period_start_at,
    held.period_end_at,
    held.cutoff_at,
    held.timezone,
    held.decision_evidence
from stretches
inner join held using (period_id, system, feed, instance)
left join {{ ref('dim_feeds') }} as feeds using (system, feed)
where held.held_from <= stretches.required_from and held.held_until >= stretches.required_until
qualify row_number() over (
    partition by period_id, system, feed, instance, stretches.required_from
    order by held.first_day desc nulls last, held.record_number desc
) = 1
