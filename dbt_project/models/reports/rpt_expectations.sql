-- What was found about the completeness of evidence, per control that depends on it.
select
    period_id, expectation, control_id, passed, detail
from {{ ref('fct_expectations') }}
