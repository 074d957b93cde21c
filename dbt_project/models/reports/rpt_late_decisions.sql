-- Waivers and policies first collected after the instant they govern. They count, and an auditor wants to know.
with

first_collected as (
    select decisions.kind, decisions.decision_key, min(deliveries.collected_at) as first_collected_at
    from (
        select 'waiver' as kind, sha256, waiver_id as decision_key from {{ ref('stg_decisions__waivers') }}
        union all
        select 'policy', sha256, concat_ws('|', control_id, parameter, scope, value, cast(first_day as varchar))
        from {{ ref('stg_decisions__policies') }}
    ) as decisions
    inner join {{ ref('int_deliveries') }} as deliveries using (sha256)
    group by all
),

waivers as (
    select
        operations.period_id,
        'waiver' as kind,
        operations.waiver_id as decision_id,
        min(operations.began_at) as governs_from,
        min(first_collected.first_collected_at) as first_collected_at
    from {{ ref('fct_control_operations') }} as operations
    inner join first_collected on first_collected.kind = 'waiver' and operations.waiver_id = first_collected.decision_key
    where operations.outcome = 'waived'
    group by operations.period_id, operations.waiver_id
),

policies as (
    select
        periods.period_id,
        'policy' as kind,
        concat_ws(' ', policies.control_id, policies.parameter, nullif(policies.scope, ''), '=', policies.value) as decision_id,
        greatest({{ local_midnight('policies.first_day', 'periods.timezone') }}, periods.start_at) as governs_from,
        first_collected.first_collected_at
    from {{ in_force('policies') }} as policies
    inner join first_collected
        on first_collected.kind = 'policy'
        and first_collected.decision_key
            = concat_ws('|', policies.control_id, policies.parameter, policies.scope, policies.value, cast(policies.first_day as varchar))
    cross join {{ ref('dim_periods') }} as periods
    where (policies.first_day is null or {{ local_midnight('policies.first_day', 'periods.timezone') }} < periods.end_at)
        and (policies.last_day is null or {{ local_midnight('policies.last_day + 1', 'periods.timezone') }} > periods.start_at)
)

select
    period_id,
    kind,
    decision_id,
    governs_from,
    first_collected_at,
    'First collected ' || {{ said('first_collected_at') }} || '; governs from ' || {{ said('governs_from') }} || '.' as detail
from (
    select * from waivers
    union all
    select * from policies
)
where first_collected_at > governs_from
