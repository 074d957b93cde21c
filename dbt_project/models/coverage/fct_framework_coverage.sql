-- What each framework's requirements get for an answer: one row per period, requirement and control that speaks to it, and
-- one without a control where none does. A requirement is answered by the controls that test what it asks, and no better
-- than by the worst of them; a supporting control alone is no answer.
with

spoken_to as (
    select
        periods.period_id,
        requirements.framework,
        requirements.version,
        requirements.requirement_id,
        requirements.title,
        requirements.former_ids,
        crosswalk.control_id,
        crosswalk.relation,
        coverage.title as control_title,
        coverage.conclusion,
        coverage.tested,
        coverage.deviations
    from {{ ref('dim_requirements') }} as requirements
    cross join {{ ref('dim_periods') }} as periods
    left join {{ ref('crosswalk') }} as crosswalk using (framework, version, requirement_id)
    left join {{ ref('fct_control_coverage') }} as coverage using (period_id, control_id)
),

answered as (
    select
        period_id,
        framework,
        version,
        requirement_id,
        count(conclusion) as assessed_controls,
        max(case conclusion
            when 'insufficient_evidence' then 4
            when 'exceptions_noted' then 3
            when 'no_exceptions_noted' then 2
            when 'no_occurrence' then 1
        end) filter (relation = 'direct') as worst
    from spoken_to
    group by all
)

select
    spoken_to.*,
    case
        when worst = 4 then 'insufficient_evidence'
        when worst = 3 then 'exceptions_noted'
        when worst = 2 then 'no_exceptions_noted'
        when worst = 1 then 'no_occurrence'
        when assessed_controls > 0 then 'supported_only'
        else 'not_answered'
    end as answer
from spoken_to
inner join answered using (period_id, framework, version, requirement_id)
