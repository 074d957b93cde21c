{#- The rows of one decisions feed that are in force: those of the newest file known at as_of. -#}
{% macro in_force(feed) -%}
(
    select *, {{ evidence_ref() }} as decision_evidence
    from {{ ref('stg_decisions__' ~ feed) }}
    where sha256 = (
        select sha256
        from {{ ref('int_deliveries') }}
        where source_system = 'decisions' and source_feed = '{{ feed }}' and status = 'accepted'
        order by collected_at desc, sha256 desc
        limit 1
    )
)
{%- endmacro %}


{#- Controls as their own YAML files describe them: id, title, parameters with defaults, inputs, expectations. -#}
{% macro described_controls() -%}
{%- set controls = [] -%}
{%- if execute -%}
  {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.get('control') -%}
    {%- do controls.append(node.config.meta.control) -%}
  {%- endfor -%}
{%- endif -%}
{{ return(controls | sort(attribute='id')) }}
{%- endmacro %}


{#- Feeds as their descriptions declare them. -#}
{% macro described_feeds() -%}
{%- set feeds = [] -%}
{%- if execute -%}
  {%- for node in graph.sources.values() if node.config.meta.get('kind') -%}
    {%- do feeds.append({'system': node.source_name, 'feed': node.name, 'kind': node.config.meta.kind,
                         'provides': node.config.meta.get('provides', [])}) -%}
  {%- endfor -%}
{%- endif -%}
{{ return(feeds) }}
{%- endmacro %}


{#- The policy value in force for each operation: adds columns <parameter> and <parameter>_policy to a relation that
    has period_id, the instant `clock` and the scope columns system, identity_type, subject_type_value (credential or
    account type), tags, subject_id. Specific beats general; among equals the newest. -#}
{% macro with_policy(relation, control, parameter, clock, type='double') -%}
(
    select
        operation.*,
        cast(policy.value as {{ type }}) as {{ parameter }}
    from {{ relation }} as operation
    left join lateral (
        select candidate.value
        from {{ ref('dim_policies') }} as candidate
        where candidate.control_id = '{{ control }}' and candidate.parameter = '{{ parameter }}'
            and candidate.period_id = operation.period_id
            and (candidate.valid_from is null or candidate.valid_from <= operation.{{ clock }})
            and (candidate.valid_until is null or candidate.valid_until > operation.{{ clock }})
            and case candidate.scope_key
                when 'all' then true
                when 'system' then candidate.scope_value = operation.system
                when 'identity_type' then candidate.scope_value = operation.identity_type
                when 'credential_type' then candidate.scope_value = operation.credential_type
                when 'account_type' then candidate.scope_value = operation.account_type
                when 'tag' then list_contains(map_entries(operation.tags), {
                    'key': split_part(candidate.scope_value, '=', 1),
                    'value': substr(candidate.scope_value, instr(candidate.scope_value, '=') + 1)
                })
                when 'subject' then candidate.scope_value = operation.subject_id
            end
        order by candidate.specificity desc, candidate.valid_from desc nulls last, candidate.policy_order desc
        limit 1
    ) as policy on true
)
{%- endmacro %}
