-- What each framework's requirements get for an answer, by control.
select
    period_id, framework, version, requirement_id, title, former_ids, answer, relation, control_id, control_title,
    conclusion, tested, deviations
from {{ ref('fct_framework_coverage') }}
