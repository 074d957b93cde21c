{#- What several models have to know about AWS. -#}

{#- A policy document as JSON: an object as it stands, a text of JSON, or that text URL-encoded, as IAM's own answers
    have it. Takes a column of type json. -#}
{% macro policy_document(column) -%}
try_cast(case
    when starts_with(json_extract_string(try_cast({{ column }} as json), '$'), '%7B')
        then url_decode(json_extract_string(try_cast({{ column }} as json), '$'))
    else json_extract_string(try_cast({{ column }} as json), '$')
end as json)
{%- endmacro %}


{#- Whether a policy document allows every action on everything, or every action but those it names. NULL without one. -#}
{% macro allows_everything(document) -%}
len(list_filter(
    case json_type({{ document }}, '$.Statement')
        when 'ARRAY' then from_json(json_extract({{ document }}, '$.Statement'), '["JSON"]')
        when 'OBJECT' then [json_extract({{ document }}, '$.Statement')]
    end,
    lambda statement: coalesce(json_extract_string(statement, '$.Effect') = 'Allow'
        and regexp_matches(cast(json_extract(statement, '$.Resource') as varchar), '"\*"')
        and (
            json_extract(statement, '$.NotAction') is not null
            or regexp_matches(cast(json_extract(statement, '$.Action') as varchar), '"\*(:\*)?"')
        ), false)
)) > 0
{%- endmacro %}


{#- AWS's own policies that make an administrator. The one place that names them. -#}
{% macro is_administrator_policy(arn) -%}
regexp_full_match({{ arn }}, 'arn:aws[a-z-]*:iam::aws:policy/(.+/)?(AdministratorAccess|IAMFullAccess|PowerUserAccess)')
{%- endmacro %}


{#- Whether an attached policy makes an administrator, as far as its ARN tells: of a customer's own policy it doesn't. -#}
{% macro is_privileged_policy(arn) -%}
case
    when {{ is_administrator_policy(arn) }} then true
    when {{ arn }} like 'arn:aws%:iam::aws:policy/%' then false
end
{%- endmacro %}


{#- A Secrets Manager secret as a call names it, by name or by an ARN that may lack the six random characters, as an
    ARN. Which of several ARNs is the secret's own is for identity to say. -#}
{% macro secret_reference(named, region, account) -%}
case
    when {{ named }} like 'arn:%' then {{ named }}
    when {{ named }} is not null then 'arn:'
        || case when {{ region }} like 'cn-%' then 'aws-cn' when {{ region }} like 'us-gov-%' then 'aws-us-gov' else 'aws' end
        || ':secretsmanager:' || {{ region }} || ':' || {{ account }} || ':secret:' || {{ named }}
end
{%- endmacro %}


{#- Keys and values of a list of tags as a map. Of a key that stands there twice, the first counts. -#}
{% macro tag_list_map(tags) -%}
{#- map() and not map_from_entries(): DuckDB 1.5 takes the latter's keys from rows that a filter left out. -#}
{%- set names -%}
list_sort(list_distinct(list_filter(
    list_transform(coalesce({{ tags }}, []), lambda tag: tag.key), lambda name: name is not null
)))
{%- endset -%}
map({{ names }}, list_transform({{ names }}, lambda name: list_filter({{ tags }}, lambda tag: tag.key = name)[1].value))
{%- endmacro %}


{#- Whether a secret's version carries a label such as AWSCURRENT, by the labels of all its versions as JSON. -#}
{% macro has_version_label(labels, id, label) -%}
contains(cast(json_extract({{ labels }}, '$."' || {{ id }} || '"') as varchar), '"{{ label }}"')
{%- endmacro %}


{#- Whether the status that a call sets is the one its meaning in canonical words is about. -#}
{% macro has_asked_status() -%}
request_status = case action when 'credential_activated' then 'Active' else 'Inactive' end
{%- endmacro %}
