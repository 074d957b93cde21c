{#- Whether the dates in a file are written month first: some second number is no month. Where every date in the file can
    be read both ways, the day comes first, as in most of the formats that ServiceNow offers. -#}
{% macro is_month_first(texts) -%}
coalesce(bool_or(
    {%- for text in texts %}
    try_cast(regexp_extract({{ text }}, '^[0-9]{1,2}[-/.]([0-9]{1,2})[-/.][0-9]{4}', 1) as integer) > 12
    {%- if not loop.last %} or {% endif %}
    {%- endfor %}
) over (partition by sha256), false)
{%- endmacro %}


{#- A time in JSON: UTC, unless the Table API was asked for what people see (sysparm_display_value=true), which shows in
    labels that begin with a capital. -#}
{% macro instant_in_json(text, labels, is_month_first, feed) -%}
(case
    when {% for label in labels %}regexp_matches({{ label }}, '^[A-Z]'){{ ' or ' if not loop.last }}{% endfor %}
        then {{ instant_as_shown(text, is_month_first, feed) }}
    else {{ instant(text) }}
end)
{%- endmacro %}


{#- A time as a ServiceNow list export shows it, in the feed's zone: ISO, or day, month and year in one of the orders and
    with one of the separators that a user may choose. -#}
{% macro instant_as_shown(text, is_month_first, feed) -%}
(case
    when regexp_matches(trim({{ text }}), '^[0-9]{4}-') then {{ instant(text, feed) }}
    else {{ zoned(
        "try_strptime(regexp_replace(trim(" ~ text ~ "), '^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})', "
        ~ "case when " ~ is_month_first ~ " then '\\2-\\1-\\3' else '\\1-\\2-\\3' end), "
        ~ "['%d-%m-%Y %H:%M:%S', '%d-%m-%Y %H:%M', '%d-%m-%Y %I:%M:%S %p', '%d-%m-%Y %I:%M %p'])",
        feed_timezone(feed)
    ) }}
end)
{%- endmacro %}
