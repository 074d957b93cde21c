{#- Whether the dates in a file are written month first: some second number is no month. Where every date in the file can
    be read both ways, the day comes first, as in most of the formats that ServiceNow offers. -#}
{% macro is_month_first(texts) -%}
coalesce(bool_or(
    {%- for text in texts %}
    {{ figure(text, 2) }} > 12
    {%- if not loop.last %} or {% endif %}
    {%- endfor %}
) over (partition by sha256), false)
{%- endmacro %}


{#- Whether a date in figures can be read both ways and no date in its file tells which: then the day was taken to come
    first, and that is told. Dates with dots begin with the day everywhere. -#}
{% macro is_order_unknown(text, texts) -%}
(
    coalesce(regexp_matches({{ text }}, '^ *[0-9]{1,2}[-/][0-9]{1,2}[-/][0-9]{4}'), false)
    and {{ figure(text, 1) }} <= 12 and {{ figure(text, 2) }} <= 12 and {{ figure(text, 1) }} <> {{ figure(text, 2) }}
    and not coalesce(bool_or(
        {%- for other in texts %}
        {{ figure(other, 1) }} > 12 or {{ figure(other, 2) }} > 12
        {%- if not loop.last %} or {% endif %}
        {%- endfor %}
    ) over (partition by sha256), false)
)
{%- endmacro %}


{#- One of the two numbers before the year of a date in figures. -#}
{% macro figure(text, place) -%}
try_cast(regexp_extract({{ text }}, '^ *([0-9]{1,2})[-/.]([0-9]{1,2})[-/.][0-9]{4}', {{ place }}) as integer)
{%- endmacro %}


{#- A time of a record, from the column as it is stored, else as it is shown. -#}
{% macro servicenow_instant(column, labels, is_month_first, feed) -%}
coalesce(
    {{ instant_in_json(column, labels, is_month_first, feed) }},
    {{ instant_as_shown(column ~ '_shown', is_month_first, feed) }}
)
{%- endmacro %}


{#- The text that servicenow_instant() reads. -#}
{% macro stated(column) -%}
coalesce(nullif(trim({{ column }}), ''), {{ column }}_shown)
{%- endmacro %}


{#- A time in JSON: UTC, unless the Table API was asked for what people see (sysparm_display_value=true), which shows in
    labels that begin with a capital, or the time itself is written in a person's way: instances may have values so, too. -#}
{% macro instant_in_json(text, labels, is_month_first, feed) -%}
(case
    when {% for label in labels %}regexp_matches({{ label }}, '^[A-Z]') or {% endfor -%}
        regexp_matches(trim({{ text }}), '^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}')
        then {{ instant_as_shown(text, is_month_first, feed) }}
    else {{ instant(text) }}
end)
{%- endmacro %}


{#- A time as a ServiceNow list export shows it, in the feed's zone: ISO, or day, month and year in one of the orders and
    with one of the separators that a user may choose. -#}
{% macro instant_as_shown(text, is_month_first, feed) -%}
(case
    when regexp_matches(trim({{ text }}), '^[0-9]{4}-') then {{ instant(text, feed) }}
    -- 09-10-25 would pass for a day of the year 25.
    when regexp_matches(trim({{ text }}), '^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4} ') then {{ zoned(
        "try_strptime(regexp_replace(trim(" ~ text ~ "), '^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})', "
        ~ "case when " ~ is_month_first ~ " then '\\2-\\1-\\3' else '\\1-\\2-\\3' end), "
        ~ "['%d-%m-%Y %H:%M:%S', '%d-%m-%Y %H:%M', '%d-%m-%Y %I:%M:%S %p', '%d-%m-%Y %I:%M %p'])",
        feed_timezone(feed)
    ) }}
end)
{%- endmacro %}
