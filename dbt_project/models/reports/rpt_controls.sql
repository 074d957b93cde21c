-- All thirteen controls; one that is not built is not assessed.
with

every_control as (
    {% for id, title in [
        ('ROT', 'Secret and key rotation'), ('REV', 'Access review coverage'), ('RVF', 'Review follow-through'),
        ('OFF', 'Leaver offboarding'), ('DEC', 'NHI decommissioning'), ('APR', 'Access approval'),
        ('LOG', 'Log continuity'), ('DOR', 'Dormant identities'), ('OWN', 'NHI ownership'),
        ('INC', 'Incident containment'), ('VLT', 'Vault custody'), ('CHG', 'Change approval'), ('EVD', 'Evidence cadence')
    ] %}
    select '{{ id }}' as control_id, '{{ title }}' as title
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    every_control.control_id,
    coalesce(controls.title, every_control.title) as title,
    controls.objective,
    controls.operation_is,
    controls.operated_when,
    coalesce(controls.is_assessed, false) as assessed
from every_control
left join {{ ref('dim_controls') }} as controls using (control_id)
