{#- What several models have to know about Kubernetes. -#}

{#- GKE answers with the codes of gRPC, where success is 0 or nothing. -#}
{% macro gke_succeeded() -%}
coalesce(try_cast(nullif(gke_status, '') as double), 0) = 0
{%- endmacro %}
