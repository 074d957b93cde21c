-- Figures and conclusion of every control in every period.
select
    period_id, control_id, title, population, tested, operated, deviations, waived, indeterminate, pending,
    evidence_coverage, deviation_rate, deviation_rate_upper_95, conclusion
from {{ ref('fct_control_coverage') }}
