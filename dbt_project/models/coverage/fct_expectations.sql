-- What the completeness suites found, told to every control that depends on it: one row per period, control and
-- expectation. A finding about a feed concerns the controls that take an input from it; decisions concern all.
with

results as (
    select * from {{ expectation_results() }}
),

-- An expectation that had nothing to judge holds; one that was never asked does not.
asked as (
    select distinct expectation from results
),

depended_on as (
    select periods.period_id, controls.control_id, unnest(controls.expectations) as expectation
    from {{ ref('dim_controls') }} as controls
    cross join {{ ref('dim_periods') }} as periods
),

feeds_of_controls as (
    select controls.control_id, feeds.system, feeds.feed
    from (select control_id, unnest(inputs) as input from {{ ref('dim_controls') }}) as controls
    inner join {{ ref('dim_feeds') }} as feeds
        on list_contains(feeds.provides, controls.input) or controls.input = 'required_feeds' or feeds.system = 'decisions'
    group by all
),

concerning as (
    select
        depended_on.period_id,
        depended_on.control_id,
        depended_on.expectation,
        results.passed,
        results.detail
    from depended_on
    inner join results
        on depended_on.expectation = results.expectation
        and (results.period_id is null or results.period_id = depended_on.period_id)
        and (results.control_id is null or results.control_id = depended_on.control_id)
    left join feeds_of_controls
        on results.system = feeds_of_controls.system and results.feed = feeds_of_controls.feed
        and depended_on.control_id = feeds_of_controls.control_id
    where results.feed is null or feeds_of_controls.feed is not null
)

select
    depended_on.period_id,
    depended_on.control_id,
    depended_on.expectation,
    coalesce(bool_and(concerning.passed), bool_or(asked.expectation is not null)) as passed,
    coalesce(
        nullif(array_to_string(list_sort(list_distinct(
            list(concerning.detail) filter (not concerning.passed)
        ))[1:20], ' | '), ''),
        case
            when count(concerning.passed) > 0 then cast(count(*) as varchar) || ' judged'
            when bool_or(asked.expectation is not null) then 'nothing to judge'
            else 'never judged'
        end
    ) as detail
from depended_on
left join concerning using (period_id, control_id, expectation)
left join asked using (expectation)
group by depended_on.period_id, depended_on.control_id, depended_on.expectation
