{#- How ticket_rules reach into a ticket's record. -#}

{#- The texts that stand at a field of a record, given as a path (`fields.issuetype.name`, `fields.links[0].id`) or as
    a CSV heading: a list, because a field may hold several. An object counts by its value, name, key or e-mail. -#}
{% macro ticket_texts(record, field) -%}
list_filter(
    list_transform(
        {{ elements_of(field_of(record, field)) }},
        element -> trim(case
            when json_type(element) = 'OBJECT' then coalesce(
                element ->> '$.value', element ->> '$.name', element ->> '$.key', element ->> '$.emailAddress'
            )
            else element ->> '$'
        end)
    ),
    text -> text <> ''
)
{%- endmacro %}


{#- A heading as it stands, else the path. What could leave the path's quotes is taken out. -#}
{% macro field_of(record, field) -%}
{%- set safe = "replace(replace(" ~ field ~ ", '\"', ''), '\\', '')" -%}
coalesce(
    json_extract({{ record }}, '$."' || {{ safe }} || '"'),
    json_extract({{ record }}, '$.' || array_to_string(list_transform(
        string_split({{ safe }}, '.'), part -> regexp_replace(part, '^(.*?)((\[[0-9]+\])?)$', '"\1"\2')
    ), '.'))
)
{%- endmacro %}


{% macro elements_of(value) -%}
(case json_type({{ value }})
    when 'ARRAY' then cast({{ value }} as json[])
    when 'NULL' then cast([] as json[])
    else list_filter([cast({{ value }} as json)], element -> element is not null)
end)
{%- endmacro %}


{#- Status names in a rule: several are separated by semicolons; case and spaces around them say nothing. -#}
{% macro status_list(text) -%}
list_filter(
    list_transform(string_split(coalesce({{ text }}, ''), ';'), status -> lower(trim(status))), status -> status <> ''
)
{%- endmacro %}


{#- What a field holds, at most so much of it: a pattern never has to read more. -#}
{% macro bounded(text) -%} left({{ text }}, 10000) {%- endmacro %}
