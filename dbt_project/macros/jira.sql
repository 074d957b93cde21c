{#- How times stand in Jira's exports. -#}

{#- A time as Jira writes it: ISO 8601 in JSON; in CSV as the site and the user have it set, which is ISO 8601 or in figures
    or with the month as a word, in the feed's zone. NULL where it is none of these. -#}
{% macro jira_instant(text, is_month_first) -%}
coalesce(
    {{ instant_as_shown(text, is_month_first, 'jira/issues') }},
    {{ instant(text, 'jira/issues') }},
    {{ zoned(
        "try_strptime(" ~ date_in_words(text) ~ ", ['%d/%b/%y %I:%M %p', '%d/%b/%y %H:%M', '%d/%b/%y %I:%M:%S %p', "
        ~ "'%d/%b/%y %H:%M:%S', '%d/%b/%Y %I:%M %p', '%d/%b/%Y %H:%M', '%d/%b/%Y %I:%M:%S %p', '%d/%b/%Y %H:%M:%S'])",
        feed_timezone('jira/issues')
    ) }},
    -- The year first, or figures with dots: both have one order only.
    {{ zoned(
        "try_strptime(replace(trim(" ~ text ~ "), '/', '-'), ['%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S %p', '%d.%m.%y %H:%M'])",
        feed_timezone('jira/issues')
    ) }}
)
{%- endmacro %}


{#- The same for one text by itself, such as a field that a ticket_rule names: figures that can be read both ways are not
    read. -#}
{% macro jira_instant_alone(text) -%}
case
    when not ({{ figure(text, 1) }} <= 12 and {{ figure(text, 2) }} <= 12 and {{ figure(text, 1) }} <> {{ figure(text, 2) }}
        and not regexp_matches({{ text }}, '^ *[0-9]+[.]'))
        or {{ figure(text, 1) }} is null
        then {{ jira_instant(text, 'coalesce(' ~ figure(text, 2) ~ ' > 12, false)') }}
end
{%- endmacro %}
