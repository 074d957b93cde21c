{#- Text to an instant: TIMESTAMP in UTC, microseconds. What has no zone is in the zone configured for `feed`
    (`system/feed`), else UTC. Vendors' ways of saying "never" (N/A, no_information, 0000-00-00, empty) become NULL.
    Plain numbers are seconds, milliseconds or microseconds since 1970, told apart by size. A date with slashes before an
    hour with AM or PM is how portals in American English write it: month first. -#}
{% macro instant(text, feed=none) -%}
{%- set zone = feed_timezone(feed) -%}
(case
    when regexp_full_match(trim({{ text }}), '[0-9]{9,10}(\.[0-9]+)?')
        then make_timestamp(cast(round(try_cast({{ text }} as decimal(20, 6)) * 1000000) as bigint))
    when regexp_full_match(trim({{ text }}), '[0-9]{12,13}(\.[0-9]+)?')
        then make_timestamp(cast(round(try_cast({{ text }} as decimal(20, 6)) * 1000) as bigint))
    when regexp_full_match(trim({{ text }}), '[0-9]{15,16}') then make_timestamp(try_cast({{ text }} as bigint))
    when regexp_full_match(trim({{ text }}), '[0-9]{1,2}/[0-9]{1,2}/[0-9]{4},? [0-9:.]+ [AP]M')
        then {{ zoned("try_strptime(replace(trim(" ~ text ~ "), ',', ''), ['%m/%d/%Y %I:%M:%S.%f %p', '%m/%d/%Y %I:%M:%S %p'])", zone) }}
    {% if zone != 'UTC' -%}
    -- Neither Z, nor an offset, nor a zone's name after a time of day.
    when not regexp_matches(trim({{ text }}), ':.*([Zz]|[+-][0-9]{1,2}(:?[0-9]{2})?| [A-Z]{2,5})$')
        then {{ zoned('try_cast(trim(' ~ text ~ ') as timestamp)', zone) }}
    {% endif -%}
    else try_cast(try_cast(trim({{ text }}) as timestamptz) as timestamp)
end)
{%- endmacro %}


{#- The same for texts that are no ISO 8601, with the formats (strptime) that the vendor's tool may write. -#}
{% macro instant_as_written(text, formats, feed=none) -%}
coalesce({{ instant(text, feed) }}, {{ zoned('try_strptime(trim(' ~ text ~ '), ' ~ formats ~ ')', feed_timezone(feed)) }})
{%- endmacro %}


{#- A date such as 09/Okt./25 with its month as English writes it: the months of German, Spanish and other languages
    of Western Europe begin with these letters, accents apart. -#}
{% macro with_english_month(text) -%}
{%- set word = "regexp_extract(strip_accents(lower(" ~ text ~ ")), '^ *[0-9]{1,2}[-/. ]([a-z]{3,})', 1)" -%}
(case when {{ word }} = '' then {{ text }} else regexp_replace(
    {{ text }}, '^( *[0-9]{1,2}[-/. ])[^-/. 0-9]+[.]?([-/. ])',
    '\1' || case
        {%- for starts, month in [
            ('jan|ene', 'Jan'), ('feb|fev', 'Feb'), ('mar|mrz', 'Mar'), ('apr|abr|avr', 'Apr'), ('mai|may', 'May'),
            ('jun|juin', 'Jun'), ('jul|juil', 'Jul'), ('aug|ago|aou', 'Aug'), ('sep', 'Sep'), ('okt|oct', 'Oct'),
            ('nov', 'Nov'), ('dez|dic|dec', 'Dec')
        ] %}
        when regexp_matches({{ word }}, '^({{ starts }})') then '{{ month }}'
        {%- endfor %}
        else {{ word }}
    end || '\2'
) end)
{%- endmacro %}


{#- The zone of a feed's times that name none: configured in upheld.toml, UTC by default. -#}
{% macro feed_timezone(feed) -%}
{{ return(var('feed_timezones', {}).get(feed, 'UTC')) }}
{%- endmacro %}


{#- A local time in a zone as a UTC instant. -#}
{% macro zoned(local, zone) -%}
{{ local if zone == 'UTC' else "cast(timezone('" ~ zone ~ "', " ~ local ~ ") as timestamp)" }}
{%- endmacro %}


{#- The day that a text names where it names no time of day, else NULL. Such a day means its end in a period's zone. -#}
{% macro bare_day(text) -%}
(case when not contains(trim({{ text }}), ':') then try_cast(trim({{ text }}) as date) end)
{%- endmacro %}


{#- Midnight at the start of a local day, as a UTC instant. -#}
{% macro local_midnight(day, zone) -%}
(timezone({{ zone }}, cast({{ day }} as timestamp)) at time zone 'UTC')
{%- endmacro %}


{#- A UTC instant as its local calendar time in a zone. -#}
{% macro local_time(instant, zone) -%}
(({{ instant }} at time zone 'UTC') at time zone {{ zone }})
{%- endmacro %}


{#- Exact length in seconds, with fractions. -#}
{% macro seconds_between(earlier, later) -%}
((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1000000.0)
{%- endmacro %}


{% macro hours(count) -%} to_microseconds(cast(round(({{ count }}) * 3600000000) as bigint)) {%- endmacro %}
{% macro days(count) -%} to_microseconds(cast(round(({{ count }}) * 86400000000) as bigint)) {%- endmacro %}


{#- An instant in a sentence: 2026-03-02 14:05:09 UTC. -#}
{% macro said(instant) -%}
strftime({{ instant }}, '%Y-%m-%d %H:%M:%S UTC')
{%- endmacro %}


{#- A number in a sentence: at most two decimals, none where it is whole. -#}
{% macro said_number(number) -%}
regexp_replace(regexp_replace(printf('%.2f', cast({{ number }} as double)), '0+$', ''), '\.$', '')
{%- endmacro %}


{% macro as_of() -%}
cast(timestamptz '{{ var("as_of") }}' as timestamp)
{%- endmacro %}
