-- The catalogue, from the controls' own descriptions.
{% set controls = described_controls() %}
with

catalogue as (
    {% for control in controls %}
    select
        '{{ control.id }}' as control_id,
        '{{ control.title | replace("'", "''") }}' as title,
        '{{ control.objective | replace("'", "''") }}' as objective,
        '{{ control.operation_is | replace("'", "''") }}' as operation_is,
        '{{ control.operated_when | replace("'", "''") }}' as operated_when,
        cast({{ control.inputs }} as varchar[]) as inputs,
        cast({{ control.expectations }} as varchar[]) as expectations,
        true as is_assessed
    {{ 'union all' if not loop.last }}
    {% else %}
    select cast(null as varchar) as control_id, cast(null as varchar) as title, cast(null as varchar) as objective,
        cast(null as varchar) as operation_is, cast(null as varchar) as operated_when,
        cast(null as varchar[]) as inputs, cast(null as varchar[]) as expectations, cast(null as boolean) as is_assessed
    where false
    {% endfor %}
)

select * from catalogue
