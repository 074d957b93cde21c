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


{#- The instant that a field of a ticket states, as the ticket's system writes times. Expects source_system. -#}
{% macro ticket_instant(text) -%}
(case when source_system = 'jira' then {{ jira_instant_alone(text) }} else {{ instant(text) }} end)
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


{#- Whether an approval is somebody else's than the holder's of what it is for: true and false are known, empty is not.
    `holder` needs identity_id, identity_type, email and user_name. Whose e-mail is hidden may be anybody. -#}
{% macro is_independent(approval, holder) -%}
(case
    when {{ approval }}.is_requester or {{ approval }}.is_beneficiary or not {{ approval }}.is_human
        or list_contains({{ approval }}.approver_identity_ids, {{ holder }}.identity_id)
        or {{ approval }}.approver_email in (lower({{ holder }}.email), lower({{ holder }}.user_name)) then false
    when {{ approval }}.is_requester is null or {{ approval }}.is_beneficiary is null or {{ approval }}.approver is null then null
    when {{ approval }}.approver_email is null and len({{ approval }}.approver_identity_ids) = 0
        and coalesce({{ holder }}.identity_type in ('employee', 'contractor'), true) then null
    else true
end)
{%- endmacro %}
