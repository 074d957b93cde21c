{#- One entity from every feed that has it, with the deliveries it came in. Only what is known at as_of. A snapshot
    delivered twice counts twice: the rows of a file appear once per delivery. -#}
{% macro delivered(models) -%}
(
    {% for model in models %}
    select
        staged.*,
        deliveries.source_instance as instance,
        deliveries.collected_at,
        deliveries.snapshot_id,
        coalesce(deliveries.snapshot_id, staged.sha256 || '@' || cast(deliveries.collected_at as varchar)) as snapshot_key,
        {{ evidence_ref('staged.sha256', 'staged.record_number') }} as evidence
    from {{ ref(model) }} as staged
    inner join {{ ref('int_deliveries') }} as deliveries
        on staged.sha256 = deliveries.sha256 and staged.source_system = deliveries.source_system
        and staged.source_feed = deliveries.source_feed
    {{ 'union all by name' if not loop.last }}
    {% endfor %}
)
{%- endmacro %}
