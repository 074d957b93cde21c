{#- The models of a roll call. A unit test names those it gives records of; to it the others do not exist, so a new feed
    touches no test of others. -#}
{% macro roll_call(models) -%}
{%- if execute and model.resource_type == 'unit_test' -%}
  {%- set given = [] -%}
  {%- for name in models if ('model.' ~ model.package_name ~ '.' ~ name) in model.depends_on.nodes -%}
    {%- do given.append(name) -%}
  {%- endfor -%}
  {{ return(given or models[:1]) }}
{%- endif -%}
{{ return(models) }}
{%- endmacro %}


{#- One entity from every feed that has it, with the deliveries it came in. Only what is known at as_of. A snapshot
    delivered twice counts twice: the rows of a file appear once per delivery. -#}
{% macro delivered(models) -%}
(
    {% for name in roll_call(models) %}
    select
        staged.*,
        deliveries.source_instance as instance,
        deliveries.collected_at,
        deliveries.snapshot_id,
        coalesce(deliveries.snapshot_id, staged.sha256 || '@' || cast(deliveries.collected_at as varchar)) as snapshot_key,
        {{ evidence_ref('staged.sha256', 'staged.record_number') }} as evidence
    from {{ ref(name) }} as staged
    inner join {{ ref('int_deliveries') }} as deliveries
        on staged.sha256 = deliveries.sha256 and staged.source_system = deliveries.source_system
        and staged.source_feed = deliveries.source_feed
    {{ 'union all by name' if not loop.last }}
    {% endfor %}
)
{%- endmacro %}
