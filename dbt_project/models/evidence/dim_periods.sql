-- Audit periods that have begun by as_of. Nothing after cutoff_at counts against a control.
with

in_force as (
    select *
    from {{ in_force('periods') }}
    qualify row_number() over (partition by period_id order by record_number) = 1
),

as_instants as (
    select
        period_id,
        timezone,
        start_date,
        end_date,
        {{ local_midnight('start_date', 'timezone') }} as start_at,
        {{ local_midnight('end_date', 'timezone') }} as end_at,
        {{ as_of() }} as as_of,
        decision_evidence
    from in_force
)

select *, least(end_at, as_of) as cutoff_at
from as_instants
where start_at < as_of
