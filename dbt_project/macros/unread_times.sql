{#- Times that an export states and staging can't read. -#}

{#- One row per such text of a feed: where it stands, what it says and why it can't be used. `records` is a relation with
    sha256 and record_number. `times` are its columns, or for a time that is not read by instant() a dict: `name`, `text`,
    `read` (the SQL that reads it) and `is_doubtful` (whether it could be read in two ways; it is read in one of them).
    `key` is by what the record is known in another export, where one replaces the other. Of feeds that may hold secrets
    the text itself is not kept (`is_shown`). -#}
{% macro unread_times(system, feed, records, times, key='null', is_shown=false) -%}
(
    select
        sha256,
        record_number,
        '{{ system }}' as source_system,
        '{{ feed }}' as source_feed,
        record_key,
        found.name as column_name,
        found.problem,
        {{ "left(found.text, 80)" if is_shown else "cast(null as varchar)" }} as text
    from (
        select
            sha256,
            record_number,
            cast({{ key }} as varchar) as record_key,
            unnest(list_filter([
                {%- for time in times %}
                {%- set text = time if time is string else time.text %}
                {
                    'name': '{{ time if time is string else time.name }}',
                    'text': {{ text }},
                    'problem': case
                        when not {{ states_a_time(text) }} then null
                        when {{ instant(text) if time is string else time.read }} is null then 'unreadable'
                        {%- if time.is_doubtful %}
                        when {{ time.is_doubtful }} then 'day_or_month'
                        {%- endif %}
                    end
                }{{ ',' if not loop.last }}
                {%- endfor %}
            ], found -> found.problem is not null)) as found
        from {{ records }}
    )
)
{%- endmacro %}


{#- Whether a text is there and none of the vendors' ways of saying "never" or "not known". -#}
{% macro states_a_time(text) -%}
not regexp_full_match(
    lower(trim(coalesce({{ text }}, ''))),
    '|[-?]+|0|n/a|null|none|never|no_information|not_supported|(0000-00-00|0001-01-01|9999-12-31).*'
)
{%- endmacro %}
