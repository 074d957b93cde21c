-- For every input that a control needs, and every system whose subjects it judges: how many required feeds give it.
with

subjects as (
    select distinct 'account_state' as input, system, instance from {{ ref('fct_account_spells') }}
    union
    select distinct 'credential_state', system, instance from {{ ref('fct_credential_intervals') }}
    union all
    select unnest(['employment', 'review_decisions', 'required_feeds']), '*', '*'
),

needed as (
    select periods.period_id, controls.control_id, subjects.*
    from (select control_id, unnest(inputs) as input from {{ ref('dim_controls') }}) as controls
    inner join subjects on controls.input = subjects.input
    cross join {{ ref('dim_periods') }} as periods
),

named_by_generic as (
    select distinct system, instance from {{ ref('int_account_listings') }} where source_system = 'generic'
    union
    select distinct system, instance from {{ ref('int_credential_listings') }} where source_system = 'generic'
    union
    select distinct system, instance from {{ ref('int_events') }} where source_system = 'generic'
),

answered as (
    select
        needed.period_id,
        needed.control_id,
        needed.input,
        needed.system,
        needed.instance,
        count(required.system) as required_feeds
    from needed
    left join {{ ref('dim_required_feeds') }} as required
        on needed.period_id = required.period_id
        and (needed.input = 'required_feeds' or list_contains(required.provides, needed.input))
        and (
            needed.system = '*'
            or (required.system = needed.system and required.instance = needed.instance)
            or (required.system = 'generic' and required.instance = needed.instance and exists (
                select 1 from named_by_generic
                where named_by_generic.system = needed.system and named_by_generic.instance = needed.instance
            ))
        )
    group by all
)

select
    *,
    case
        when required_feeds > 0 then cast(required_feeds as varchar) || ' required feeds give ' || input
        when input = 'required_feeds' then 'no row of decisions/required_feeds holds in the period: nobody said what evidence has to be there'
        else 'no row of decisions/required_feeds names a feed that gives ' || input
            || case when system <> '*' then ' for ' || system || '/' || instance else '' end
    end as detail
from answered
