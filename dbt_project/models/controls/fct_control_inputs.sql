-- For every input that a control needs, and every system whose subjects it judges: how many required feeds give it.
with

subjects as (
    select distinct unnest(['account_state', 'usage']) as input, system, instance from {{ ref('fct_account_spells') }}
    union
    select distinct 'credential_state', system, instance from {{ ref('fct_credential_intervals') }}
    union
    select distinct 'entitlements', system, instance from {{ ref('fct_entitlement_spells') }}
    union
    select distinct 'changes', system, instance from {{ ref('fct_changes') }}
    union
    select distinct 'changes', system, instance from {{ ref('int_events') }} where action like 'pipeline_secret%'
    union all
    select unnest(['employment', 'review_decisions', 'tickets', 'vault_inventory', 'required_feeds']), '*', '*'
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
    union
    select distinct system, instance from {{ ref('int_entitlement_listings') }} where source_system = 'generic'
),

-- Whether a feed shows use is for the requirement to say.
required as (
    select * replace (case when shows_use then provides else list_filter(provides, input -> input <> 'usage') end as provides)
    from {{ ref('dim_required_feeds') }}
),

-- A required feed of a system gives its inputs for that system; a generic one for the systems its rows name.
given as (
    select period_id, system, instance, unnest(provides) as input
    from required
    where system <> 'generic'
    union all
    select required.period_id, named_by_generic.system, named_by_generic.instance, unnest(required.provides)
    from required
    inner join named_by_generic on required.system = 'generic' and required.instance = named_by_generic.instance
    union all
    select period_id, '*', '*', unnest(list_append(provides, 'required_feeds'))
    from required
),

answered as (
    select needed.period_id, needed.control_id, needed.input, needed.system, needed.instance,
        count(given.input) as required_feeds
    from needed
    left join given using (period_id, input, system, instance)
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
