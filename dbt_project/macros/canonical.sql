{#- Shapes that several staging models share. -#}

{#- Where a log has records, in quarter hours: enough to place any slot of any time zone. `only` is a condition for
    exports that hold several logs. -#}
{% macro log_presence(system, feed, event_time, only='true') -%}
with

records as (
    select sha256, record_number, {{ instant(event_time, system ~ '/' ~ feed) }} as event_at
    from {{ evidence_records(system, feed) }}
    where {{ only }}
)

select
    sha256,
    '{{ system }}' as source_system,
    '{{ feed }}' as source_feed,
    time_bucket(interval 15 minutes, event_at) as quarter_hour,
    min(event_at) as first_event_at,
    arg_min(record_number, (event_at, record_number)) as first_record_number
from records
where event_at is not null
group by sha256, quarter_hour
{%- endmacro %}


{#- Use of an account or credential: first and last success and failure per evidence file, subject and day.
    Small, and exports that overlap cannot distort it. Expects columns event_at, succeeded and the given keys. -#}
{% macro usage_per_day(records, keys) -%}
select
    sha256,
    {{ keys | join(', ') }},
    cast(event_at as date) as usage_date,
    min(event_at) filter (succeeded) as first_success_at,
    max(event_at) filter (succeeded) as last_success_at,
    arg_min(record_number, (event_at, record_number)) filter (succeeded) as first_success_record,
    arg_max(record_number, (event_at, record_number)) filter (succeeded) as last_success_record,
    min(event_at) filter (not succeeded) as first_failure_at,
    max(event_at) filter (not succeeded) as last_failure_at
from {{ records }}
where event_at is not null
group by all
{%- endmacro %}


{#- Whether a credential of this type is renewed by new versions of itself, rather than by another key. -#}
{% macro is_versioned(credential_type) -%}
coalesce({{ credential_type }} in (
    'kv_secret', 'secrets_manager_secret', 'secret_manager_secret', 'key_vault_secret', 'key_vault_key', 'key_vault_certificate'
), false)
{%- endmacro %}


{% macro is_yes(text) -%}
coalesce(lower(trim({{ text }})) in ('true', 'yes', 'y', '1', 'active', 'enabled'), false)
{%- endmacro %}


{#- `team=payments;env=prod` to a map. -#}
{% macro tag_map(text) -%}
map_from_entries(list_distinct(list_transform(
    list_filter(string_split(coalesce({{ text }}, ''), ';'), pair -> contains(pair, '=')),
    pair -> {'k': trim(split_part(pair, '=', 1)), 'v': trim(substr(pair, instr(pair, '=') + 1))}
)))
{%- endmacro %}


{% macro no_tags() -%} cast(map {} as map(varchar, varchar)) {%- endmacro %}


{#- A text without the midnight behind a day, as which some systems write the day. -#}
{% macro without_midnight(text) -%}
regexp_replace({{ text }}, '[T ](0{1,2}:00(:00([.]0+)?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?|12:00(:00)? ?[Aa][Mm])$', '')
{%- endmacro %}


{#- A calendar date as HR systems and spreadsheets write it; slashes are month first, as Workday and BambooHR
    export them. NULL for the ways of saying "none". -#}
{% macro calendar_date(text) -%}
nullif(nullif(case
    when regexp_matches(trim({{ text }}), '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]|$)')
        then try_cast(left(trim({{ text }}), 10) as date)
    -- Told apart by length: a two-digit year would pass for a year of the first century.
    when regexp_full_match(trim({{ text }}), '[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}')
        then cast(try_strptime(trim({{ text }}), '%m/%d/%y') as date)
    when regexp_full_match(trim({{ text }}), '[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{2}|[0-9]{1,2}[- ][A-Za-z]{3}[- ][0-9]{2}')
        then cast(try_strptime(trim({{ text }}), ['%d.%m.%y', '%d-%b-%y', '%d %b %y']) as date)
    else cast(try_strptime(
        trim({{ text }}), ['%m/%d/%Y', '%Y/%m/%d', '%d.%m.%Y', '%d-%b-%Y', '%d %b %Y', '%B %d, %Y', '%Y%m%d']
    ) as date)
end, date '9999-12-31'), date '0001-01-01')
{%- endmacro %}
