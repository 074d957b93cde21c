-- Every policy value that may hold in a period, with when and for what. The defaults of the controls hold always
-- and are the least specific. Days are days of the period's own zone, the last one inclusive.
{% set controls = described_controls() %}
with

decided as (
    select
        periods.period_id,
        control_id,
        parameter,
        value,
        case
            when scope = '' then 'all'
            when regexp_matches(scope, '^tag[:=]') then 'tag'
            else split_part(scope, '=', 1)
        end as scope_key,
        case
            when regexp_matches(scope, '^tag[:=]') then substr(scope, 5)
            else substr(scope, instr(scope, '=') + 1)
        end as scope_value,
        {{ local_midnight('first_day', 'periods.timezone') }} as valid_from,
        {{ local_midnight('last_day + 1', 'periods.timezone') }} as valid_until,
        record_number as policy_order,
        policies.decision_evidence as policy_evidence
    from {{ in_force('policies') }} as policies
    cross join {{ ref('dim_periods') }} as periods
),

defaults as (
    {% for control in controls %}{% for parameter, facts in control.parameters.items() %}
    select '{{ control.id }}' as control_id, '{{ parameter }}' as parameter, '{{ facts.default | string | lower }}' as value
    union all
    {% endfor %}{% endfor %}
    select null, null, null where false
),

everything as (
    select * from decided
    union all by name
    select periods.period_id, defaults.*, 'all' as scope_key, -1 as policy_order
    from defaults
    cross join {{ ref('dim_periods') }} as periods
)

select
    period_id,
    control_id,
    parameter,
    value,
    scope_key,
    scope_value,
    case scope_key
        when 'subject' then 5
        when 'tag' then 4
        when 'credential_type' then 3
        when 'account_type' then 3
        when 'identity_type' then 2
        when 'system' then 1
        else 0
    end as specificity,
    valid_from,
    valid_until,
    policy_order,
    policy_evidence
from everything
